-- Levels, as programs name them: the one table of the agent. pylib/src/lokikit/fields.py has the same for
-- `ship`, and a test compares.

-- Where a program says the level: the list of loki/loki.yaml.
local FIELDS = {
  "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText",
  "lvl", "LVL", "Lvl", "severity_text", "Severity_Text", "SEVERITY_TEXT", "levelname",
  "log_level", "@l",
}
-- Levels as pino and bunyan write them, and what Loki calls them: it reads words alone.
local NUMBERED = {
  [10] = "trace", [20] = "debug", [30] = "info", [40] = "warn", [50] = "error", [60] = "fatal",
}
-- Words that Loki does not read as levels, and what it calls such.
local OTHER = {
  notice = "info", severe = "error", crit = "critical", alert = "critical", emerg = "critical",
  emergency = "critical", dpanic = "critical", panic = "fatal",
}
-- What Loki reads by itself.
local LOKIS = {
  trace = "trace", trc = "trace", debug = "debug", dbg = "debug",
  info = "info", inf = "info", information = "info",
  warning = "warn", warn = "warn", wrn = "warn",
  error = "error", err = "error",
  critical = "critical", fatal = "fatal",
}

local M = { fields = FIELDS }

-- What a line says, in the first field that holds anything.
local function said(fields)
  for _, name in ipairs(FIELDS) do
    local value = fields[name]
    if value ~= nil then
      return value, name
    end
  end
  return nil
end

-- Whether a line says any level, known or not.
function M.is_said(fields)
  return said(fields) ~= nil
end

-- Loki's name of a level that it would not read from the line itself, or nothing.
function M.untold(fields)
  local value, name = said(fields)
  if type(value) == "string" then
    return OTHER[value] or OTHER[string.lower(value)]
  end
  return name == "level" and NUMBERED[value] or nil
end

-- Loki's name of the level of a line, or nothing.
function M.of(fields)
  local value = said(fields)
  if type(value) == "number" then
    return NUMBERED[value]
  end
  local word = string.lower(tostring(value))
  return LOKIS[word] or OTHER[word] or NUMBERED[tonumber(word)]
end

return M
