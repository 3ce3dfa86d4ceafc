-- What the API server knows of a pod. A thread of kubernetes-names.yaml takes a question of pods.lua from
-- one file, has the `kubernetes` filter ask, and writes the answer to another file.

local HERE = string.match(debug.getinfo(1, "S").source, "^@(.*/)") or ""
local pause = dofile(HERE .. "pause.lua")

local STORAGE = os.getenv("FLUENTBIT_STORAGE") or ""
local QUESTION, ANSWER = STORAGE .. "/pods.question", STORAGE .. "/pods.answer"
-- Of this thread alone: a file that is renamed to it is taken by no other.
local OWN = "." .. string.match(tostring({}), "%w+$")

-- Between two questions it looks every 40 ms. They come in crowds, as when an agent starts: for two seconds
-- after each it looks every millisecond.
local IDLE_MS, CROWD_S = 40, 2
local crowd_until_s = 0

local function take_question()
  local file = os.rename(QUESTION, QUESTION .. OWN) and io.open(QUESTION .. OWN)
  if not file then
    return nil
  end
  local number, pod = file:read("*l", "*l")
  file:close()
  os.remove(QUESTION .. OWN)
  return { CONTAINER_NAME = pod, number = number, asked_s = os.time() }
end

-- A record for the filter, which reads CONTAINER_NAME, where there is a question.
function question(_, time, record)
  local found = take_question()
  local pause_ms = os.time() < crowd_until_s and 1 or IDLE_MS
  local looked_ms = 0
  while not found and looked_ms < IDLE_MS do
    pause(pause_ms)
    looked_ms = looked_ms + pause_ms
    found = take_question()
  end
  if not found then
    return -1, time, record
  end
  crowd_until_s = os.time() + CROWD_S
  return 2, time, found
end

-- The first word; whatever answers there may not be an API server.
local function first(...)
  for index = 1, select("#", ...) do
    local value = select(index, ...)
    if type(value) == "string" and value ~= "" then
      return value
    end
  end
  return ""
end

-- Whether a pod keeps the lines of a stream to itself: those of this container, or all of them.
local function is_excluded(annotations, container, stream)
  local of_stream = "exclude_" .. stream
  for _, name in ipairs({ of_stream .. "-" .. container, "exclude-" .. container, "exclude", of_stream }) do
    local value = annotations["fluentbit.io/" .. name]
    if value ~= nil then
      value = string.lower(tostring(value))
      return value == "true" or value == "on" or value == "yes"
    end
  end
  return false
end

-- One line of the answer; pods.lua reads it back.
local function encoded(value)
  return (string.gsub(tostring(value), "[%c%%]", function(char)
    return string.format("%%%02x", string.byte(char))
  end)) .. "\n"
end

local function write_answer(record)
  local pod = record.kubernetes or {}
  local labels, annotations = pod.labels or {}, pod.annotations or {}
  local container = pod.container_name or ""
  local file = assert(io.open(ANSWER .. OWN, "w"))
  for _, value in ipairs({
    record.number, os.time() - record.asked_s, record.kubernetes and "found" or "unknown",
    first(annotations["lokikit/service"], labels["app.kubernetes.io/name"], labels.app),
    first(pod.host),
    is_excluded(annotations, container, "stdout"), is_excluded(annotations, container, "stderr"),
  }) do
    file:write(encoded(value))
  end
  file:close()
  assert(os.rename(ANSWER .. OWN, ANSWER))
end

-- No record goes on from here. An answer that cannot be written is asked for once more.
function answer(_, time, record)
  local done, why = pcall(write_answer, record)
  if not done then
    io.stderr:write("[names] ", tostring(why), "\n")
  end
  return -1, time, record
end
