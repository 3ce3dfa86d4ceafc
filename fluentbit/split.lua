-- Split files: plain files beside Loki, for who wants them (docs/split-files.md).
--
-- contract.lua loads this file when FLUENTBIT_SPLIT_DIR is set, and only then. It wraps
-- `contract`: what Loki gets stays as it is, and the line goes to the files that the table of
-- rules names, as it was printed.
--
-- Fluent Bit's own file output takes a full disk for a success: it counts no line as dropped. So
-- the lines are written here, one write each, and those that cannot be written are counted, told
-- in the agent's log, and told in Loki as lines of the service `fluent-bit`.

local FOLDER = os.getenv("FLUENTBIT_SPLIT_DIR")
local HERE = string.match(debug.getinfo(1, "S").source, "^@(.*/)") or ""
local RULES = os.getenv("FLUENTBIT_SPLIT_RULES") or ""
RULES = RULES ~= "" and RULES or HERE .. "split.conf"

local TELL_EVERY_S = 60
local MAX_DECISIONS = 10000

local levels = dofile(HERE .. "levels.lua")
-- Loki's name of a level -> ours, which the table of rules has.
local OURS = {
  trace = "debug", debug = "debug", info = "info", warn = "warning", error = "error",
  critical = "critical", fatal = "critical",
}

-- One column of a rule: "*", "a,b" or "!a,b".
local function read_column(text, allowed, where)
  local names, wanted = {}, true
  if string.sub(text, 1, 1) == "!" then
    wanted, text = false, string.sub(text, 2)
  end
  for name in string.gmatch(text, "[^,]+") do
    if name ~= "*" and allowed and not allowed[name] then
      error(where .. ": " .. name .. " is no level: use debug, info, warning, error or critical", 0)
    end
    names[name] = true
  end
  return { any = names["*"], names = names, wanted = wanted }
end

local OUR_LEVELS = { debug = true, info = true, warning = true, error = true, critical = true }

-- The rules of the table; one file is the same table in each of its rules.
local function read_rules(path)
  local rules, files = {}, {}
  local source = assert(io.open(path))
  -- A line of nothing but a comment is no line: within a rule it does not end it.
  local text = "\n" .. string.gsub(source:read("*a"), "\r\n?", "\n")
  source:close()
  text = string.gsub(text, "\n[ \t]*#[^\n]*", "")
  text = string.gsub(text, "[ \t]*#[^\n]*", "")
  -- An indented line goes on with the one above it.
  text = string.gsub(text, ",[ \t]*\n[ \t]+", ",")
  text = string.gsub(text, "\n[ \t]+(%S)", " %1")
  for row in string.gmatch(text, "[^\n]+") do
    local columns = {}
    for column in string.gmatch(row, "%S+") do
      columns[#columns + 1] = column
    end
    local name = columns[1]
    if name then
      local where = path .. ": " .. name
      if #columns ~= 4 then
        error(where .. ": a rule has four columns: file, service, logger, level", 0)
      end
      if string.find(name, "/", 1, true) or string.sub(name, 1, 1) == "." then
        error(where .. ": this is no name of a file in the folder", 0)
      end
      files[name] = files[name] or { path = FOLDER .. "/" .. name }
      rules[#rules + 1] = {
        file = files[name],
        service = read_column(columns[2], nil, where),
        logger = read_column(columns[3], nil, where),
        level = read_column(columns[4], OUR_LEVELS, where),
      }
    end
  end
  return rules
end

local rules = read_rules(RULES)

local function fits(column, value)
  if column.any then
    return column.wanted
  end
  return (value and column.names[value] or false) == column.wanted
end

-- A logger belongs to each name above it: celery.app.trace to celery.app and to celery.
local function fits_logger(column, logger)
  local name = logger
  while name and name ~= "" do
    if column.names[name] then
      return column.wanted
    end
    name = string.match(name, "^(.*)%.[^.]*$")
  end
  return fits(column, logger)
end

local decisions, decision_count = {}, 0

-- The files that a line goes to, each once.
local function decide(service, logger, level)
  local key = service .. "\0" .. (logger or "") .. "\0" .. (level or "")
  local files = decisions[key]
  if files then
    return files
  end
  if decision_count >= MAX_DECISIONS then
    decisions, decision_count = {}, 0
  end
  files = {}
  local chosen = {}
  for _, rule in ipairs(rules) do
    if not chosen[rule.file] and fits(rule.service, service)
      and fits_logger(rule.logger, logger) and fits(rule.level, level) then
      chosen[rule.file] = true
      files[#files + 1] = rule.file
    end
  end
  decisions[key], decision_count = files, decision_count + 1
  return files
end

local dropped, told, told_s, reason = 0, 0, 0, ""

local function drop(why)
  dropped, reason = dropped + 1, why
end

-- Opens the file anew, so that one that was renamed gets no more lines. The end of a line that
-- was cut (a full disk, a power cut) is made up for.
local function open(file, now_s)
  if file.handle then
    file.handle:close()
  end
  file.opened_s = now_s
  local why
  file.handle, why = io.open(file.path, "a+")
  if not file.handle then
    file.why = why
    return
  end
  file.handle:setvbuf("no")
  local last = file.handle:seek("end", -1) and file.handle:read(1)
  file.handle:seek("end")
  file.prefix = (last and last ~= "\n") and "\n" or ""
end

-- After a failure the next try is a second later.
local function append(file, line, now_s)
  if file.opened_s ~= now_s then
    open(file, now_s)
  end
  if not file.handle then
    return drop(file.why)
  end
  local done, why = file.handle:write(file.prefix .. line .. "\n")
  file.prefix = ""
  if not done then
    file.handle:close()
    file.handle, file.why = nil, file.path .. ": " .. why
    drop(file.why)
  end
end

local function sentence()
  return string.format("%d lines are missing in the split files: %s", dropped, reason)
end

local function say()
  told = dropped
  io.stderr:write("[split] " .. sentence() .. "\n")
end

local function quoted(text)
  return '"' .. string.gsub(text, '[%c"\\]', "?") .. '"'
end

-- The line that tells Loki of what is missing so far.
local function notice(time)
  return {
    log = string.format(
      '{"timestamp":"%s.%06dZ","level":"error","logger":"split","message":%s,"service":"fluent-bit","dropped":%d}',
      os.date("!%Y-%m-%dT%H:%M:%S", time.sec), math.floor(time.nsec / 1000), quoted(sentence()), dropped
    ),
    service_name = "fluent-bit",
  }
end

-- What is not told yet is told at the end of the agent.
split_end = newproxy(true)
getmetatable(split_end).__gc = function()
  if dropped > told then
    say()
  end
end

want_fields({ "logger" })
want_fields(levels.fields)

local for_loki = contract

function contract(tag, time, record)
  local code, stamp, kept = for_loki(tag, time, record)
  if code ~= 1 then
    return code, stamp, kept
  end
  local logger = type(line_fields.logger) == "string" and line_fields.logger or nil
  local level = OURS[levels.of(line_fields) or ""]
  -- Without both it is no line of JSON, or none that says what it is.
  if not (logger or level or levels.is_said(line_fields)) then
    return code, stamp, kept
  end
  local now_s = os.time()
  local files = decide(kept.service_name, logger, level)
  if files[1] then
    local line = kept.log
    if kept.metadata.truncated then
      line = string.gsub(record.log, "[\r\n]+$", "")
    end
    if string.find(line, "\n", 1, true) then
      line = string.gsub(line, "\n", " ")
    end
    for _, file in ipairs(files) do
      append(file, line, now_s)
    end
  end
  if dropped > told and now_s - told_s >= TELL_EVERY_S then
    told_s = now_s
    say()
    return code, stamp, { kept, notice(stamp) }
  end
  return code, stamp, kept
end
