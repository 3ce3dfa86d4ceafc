-- A line of the contract from an event of Kubernetes, in either of its two forms (v1 and
-- events.k8s.io/v1).

local LEVELS = { Normal = "info", Warning = "warning" }
local SHORT = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function quoted(value)
  return '"' .. string.gsub(tostring(value), '[%c"\\]', function(char)
    return SHORT[char] or string.format("\\u%04x", string.byte(char))
  end) .. '"'
end

-- The first that says something: the API server leaves some fields empty.
local function first(...)
  for index = 1, select("#", ...) do
    local value = select(index, ...)
    if value ~= nil and value ~= "" then
      return value
    end
  end
end

-- The members of an object, in this order, those without a value left out.
local function object(members)
  local parts = {}
  for _, member in ipairs(members) do
    local name, value = member[1], member[2]
    if value ~= nil and value ~= "" then
      local text = type(value) == "number" and string.format("%d", value) or quoted(value)
      parts[#parts + 1] = quoted(name) .. ":" .. text
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function event(tag, time, record)
  local about = record.involvedObject or record.regarding or {}
  local source = record.source or record.deprecatedSource or {}
  local meta = record.metadata or {}
  local series = record.series or {}
  local line = object({
    { "timestamp", first(record.lastTimestamp, series.lastObservedTime, record.eventTime,
      record.deprecatedLastTimestamp, meta.creationTimestamp) },
    { "level", LEVELS[record.type] or "info" },
    { "service", "kubernetes-events" },
    { "message", first(record.message, record.note, record.reason) or "" },
    { "reason", record.reason },
    { "kind", about.kind },
    { "name", about.name },
    { "action", record.action },
    { "component", first(record.reportingComponent, record.reportingController, source.component) },
    { "count", first(record.count, series.count, record.deprecatedCount) },
  })
  return 2, time, {
    log = line,
    kubernetes = {
      namespace_name = first(about.namespace, meta.namespace),
      pod_name = about.kind == "Pod" and about.name or nil,
      host = first(source.host),
    },
  }
end
