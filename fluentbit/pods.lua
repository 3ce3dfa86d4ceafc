-- Which pod a line is of. Its name, namespace and container are those of its file; what else is known of
-- it (a service, a node, streams that it keeps to itself) the API server says.
--
-- Fluent Bit's `kubernetes` filter waits for that server without a limit, and all that runs in its thread
-- waits with it: in the pipeline it held up every line of the node. So it has threads of its own
-- (kubernetes-names.yaml), which are asked about one pod at a time by a file (names.lua). The first line
-- of a pod waits for the answer, to have the right service. Once an answer is late, lines wait for hardly
-- any time until answers are quick again.

local HERE = string.match(debug.getinfo(1, "S").source, "^@(.*/)") or ""
local pause = dofile(HERE .. "pause.lua")

local STORAGE = os.getenv("FLUENTBIT_STORAGE") or ""
local QUESTION, ANSWER = STORAGE .. "/pods.question", STORAGE .. "/pods.answer"
-- How long a line waits: two seconds, or a tenth of that once an answer was late.
local PAUSE_MS, PAUSES, FEW_PAUSES = 2, 1000, 100
local QUICK_S = 1
-- When a pod that was not named is asked about again, and when a question is put once more, for it may be
-- lost: to a full disk, or to a thread that waits for ever.
local AGAIN_S, ONCE_MORE_S = 30, 15

-- What an earlier life of the agent has left.
os.remove(QUESTION)
os.remove(ANSWER)

-- The pods to ask about, and the one that is asked about now.
local queue, first, last = {}, 1, 0
local asked, asked_s, number, looked_s = nil, 0, 0, 0
local is_patient, has_refused = true, false

local function say(sentence)
  io.stderr:write("[pods] the API server ", sentence, "\n")
end

local function put_question(now)
  asked_s = now
  local file = io.open(QUESTION .. ".new", "w")
  if file then
    file:write(asked.number, "\n", asked.key, "\n")
    file:close()
    os.rename(QUESTION .. ".new", QUESTION)
  end
end

-- Put the next question when there is none; whether it was put.
local function ask_next(now)
  if asked then
    if now >= asked_s + ONCE_MORE_S then
      put_question(now)
    end
  elseif first <= last then
    asked, queue[first], first = queue[first], nil, first + 1
    number = number + 1
    asked.number = os.time() .. "." .. number
    put_question(now)
    return true
  end
end

local function decoded(text)
  return text and (string.gsub(text, "%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function set_patient(quick)
  if quick ~= is_patient then
    is_patient = quick
    say(quick and "answers again" or "does not answer in time: new pods go by the names of their files")
  end
end

local function take_answer(now)
  looked_s = now
  local file = asked and io.open(ANSWER)
  if not file then
    return
  end
  local id, took_s, found, service, node, stdout, stderr = file:read("*l", "*l", "*l", "*l", "*l", "*l", "*l")
  file:close()
  local pod = asked
  if not stderr or id ~= pod.number then
    return
  end
  os.remove(ANSWER)
  asked, pod.is_waiting = nil, false
  set_patient(tonumber(took_s) <= QUICK_S)
  if found == "found" then
    pod.is_known, pod.service, pod.host = true, decoded(service), decoded(node)
    pod.excluded = { stdout = stdout == "true", stderr = stderr == "true" }
  else
    pod.again_s = now + AGAIN_S
    if not has_refused then
      has_refused = true
      say("does not name " .. pod.pod_name .. ": it is gone, or the agent may not ask (this is said once)")
    end
  end
end

local M = {}

-- A pod of which its file alone is known.
function M.new(pod, namespace, container, uid)
  return {
    pod_name = pod, namespace_name = namespace, container_name = container,
    key = table.concat({ pod, namespace, container, uid, "" }, "_"), again_s = 0,
  }
end

-- Ask about a pod that has printed a line, and wait while answers are quick.
function M.look_up(pod)
  local now = os.time()
  if looked_s ~= now then
    take_answer(now)
  end
  if not (pod.is_waiting or pod.is_known) and now >= pod.again_s then
    last = last + 1
    queue[last], pod.is_waiting = pod, true
  end
  local is_put = ask_next(now)
  local pauses = is_patient and PAUSES or is_put and FEW_PAUSES or 0
  while pod.is_waiting and pauses > 0 do
    pause(PAUSE_MS)
    pauses = pauses - 1
    take_answer(now)
    ask_next(now)
  end
  if pod.is_waiting then
    set_patient(false)
  end
end

return M
