-- What Loki gets of one line, under the log contract (pylib/src/lokikit/fields.py, delivery/entry.py).
--
-- It reads the line itself, so that no field of it can stand for something that only the platform
-- knows. What no built-in filter does:
--   * fields of what is a JSON object and of nothing else (jsonline.lua), without a record of all;
--   * a timestamp exact to the microsecond: the parser's %L goes through a floating point number,
--     which one stamp of sixty comes out of a nanosecond, and so a microsecond, too early;
--   * equal lines of one timestamp kept apart, for Loki stores them once;
--   * a service by order of preference, values that are words, lines and values cut to a limit.

local HERE = string.match(debug.getinfo(1, "S").source, "^@(.*/)") or ""
local cleaned, jsonline = dofile(HERE .. "cleaned.lua"), dofile(HERE .. "jsonline.lua")
local levels, pods = dofile(HERE .. "levels.lua"), dofile(HERE .. "pods.lua")

local MAX_LINE_BYTES = 256 * 1024
local MAX_VALUE_BYTES = 1024
local UNKNOWN_SERVICE = "unknown"
local MAX_SOURCES = 10000
local ROTATED_SINCE_S = 3600
local LF, CR = 10, 13

-- Where a program may say the time; the list of fields.py, and a test compares.
local TIME_FIELDS = { "timestamp", "time", "ts", "@timestamp", "@t", "Timestamp", "datetime" }
-- How many digits seconds, milli-, micro- and nanoseconds of our time have before their point.
local EPOCH_DIGITS = { [10] = true, [13] = true, [16] = true, [19] = true }
local MAX_NS = "9223372036854775807"

jsonline.want(TIME_FIELDS)
jsonline.want({ "service", "env", "request_id", "trace_id" })
jsonline.want(levels.fields)

local byte, concat, match, sub = string.byte, table.concat, string.match, string.sub

-- The first bytes of `text` that fit, without a part of a character.
local function fit(text, max_bytes)
  if #text <= max_bytes then
    return text
  end
  local last = max_bytes
  while last > 0 and byte(text, last + 1) >= 0x80 and byte(text, last + 1) < 0xC0 do
    last = last - 1
  end
  return sub(text, 1, last)
end

-- A label or metadata value, nothing for what is no word.
local function word(value)
  if type(value) == "number" then
    value = string.format("%.0f", value)
  elseif type(value) ~= "string" or value == "" then
    return nil
  end
  return fit(value, MAX_VALUE_BYTES)
end

-- A label. Loki takes U+FFFD in one for broken UTF-8, and refuses all that is sent with it.
local function label(value)
  value = word(value)
  return value and (string.gsub(value, "\239\191\189", "?"))
end

local function days_from_civil(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local leap_days = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leap_days + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

local MONTH_DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_date(year, month, day)
  if year < 1 or month < 1 or month > 12 or day < 1 then
    return false
  end
  local leap = month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return day <= MONTH_DAYS[month] + (leap and 1 or 0)
end

local SECOND = "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)$"

-- Seconds since the epoch of the 19 characters of a date and a time.
local function epoch_s(text)
  local year, month, day, hour, minute, second = match(text, SECOND)
  if not year then
    return nil
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if not is_date(year, month, day) or hour > 23 or minute > 59 or second > 59 then
    return nil
  end
  return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
end

-- Seconds to take off for the zone that a timestamp ends with; a time without one is UTC.
local function offset_s(zone)
  if zone == "Z" or zone == "" or zone == "z" then
    return 0
  end
  local sign, hours, minutes = match(zone, "^([+-])(%d%d):?(%d%d)$")
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then
    return nil
  end
  return (sign == "-" and -1 or 1) * (hours * 3600 + minutes * 60)
end

local known_text, known_s

-- What stands between the point and the zone of one of our own timestamps.
local function micros(text)
  if byte(text, 20) ~= 46 then
    return nil
  end
  local micro = 0
  for at = 21, 26 do
    local c = byte(text, at)
    if c < 48 or c > 57 then
      return nil
    end
    micro = micro * 10 + c - 48
  end
  return micro
end

-- Seconds and nanoseconds of an RFC 3339 text, nothing when it is none.
local function read_timestamp(text)
  if type(text) ~= "string" or #text < 19 or #text > 64 then
    return nil
  end
  local second = sub(text, 1, 19)
  if second ~= known_text then
    known_text, known_s = second, epoch_s(second)
  end
  if not known_s then
    return nil
  end
  if #text == 27 and byte(text, 27) == 90 then
    local micro = micros(text)
    if micro then
      return known_s, micro * 1000
    end
  end
  local fraction, zone = match(text, "^[.,](%d+)(.*)$", 20)
  local offset = offset_s(zone or sub(text, 20))
  if not offset then
    return nil
  end
  local sec = known_s - offset
  local nsec = fraction and tonumber(sub(fraction .. "000000000", 1, 9)) or 0
  return sec, nsec
end

-- Seconds and nanoseconds of a decimal number since 1970 in any unit, nothing when it is not of our
-- time: its first 19 digits are nanoseconds, whatever the unit.
local function read_epoch(text)
  if type(text) == "number" then
    text = string.format("%.0f", text)
  end
  local whole, rest = match(text, "^([1-9]%d*)(.*)$")
  if not whole then
    return nil
  end
  local fraction, behind = match(rest, "^%.(%d+)(.*)$")
  behind = behind or rest
  local exponent = match(behind, "^[eE]%+?(%d%d?)$")
  if not exponent and behind ~= "" then
    return nil
  end
  if not EPOCH_DIGITS[#whole + (tonumber(exponent) or 0)] then
    return nil
  end
  local digits = sub(whole .. (fraction or "") .. "0000000000000000000", 1, 19)
  if digits > MAX_NS then
    return nil
  end
  return tonumber(sub(digits, 1, 10)), tonumber(sub(digits, 11))
end

-- The time that a line says, in the first field that has one.
local function read_time(fields)
  for _, name in ipairs(TIME_FIELDS) do
    local value = fields[name]
    if value then
      local sec, nsec = read_timestamp(value)
      if not sec then
        sec, nsec = read_epoch(value)
      end
      if sec then
        return sec, nsec
      end
    end
  end
  return nil
end

-- tag -> the timestamps that were given last, whether its file was rotated, and its pod
local sources, source_count = {}, 0

-- Whether a tag is of a file that was rotated: 0.log.20261121-100000 of a pod, whose own name may hold
-- `.log.` too, number of Docker.
local function is_rotated(tag)
  return match(tag, "^line:container%.[^_]+_%d+$") or match(tag, "^line:container%.[^_]+_[^_]+_[^_]+_[^_]+_.*%.log%.")
end

-- The pod that a tag names, as the path of a container's file does.
local function pod_of_tag(tag)
  local pod, namespace, container, uid = match(tag, "^line:container%.([^_]+)_([^_]+)_([^_]+)_([^_]+)_")
  if pod then
    return pods.new(pod, namespace, container, uid)
  end
  pod, namespace, container = match(tag, "^line:heartbeat%.([^_]+)_([^_]+)_([^_]+)$")
  return pod and { pod_name = pod, namespace_name = namespace, container_name = container, is_known = true }
end

local function source_of(tag)
  local source = sources[tag]
  if not source then
    if source_count >= MAX_SOURCES then
      sources, source_count = {}, 0
    end
    source = {
      sec = 0, nsec = 0, repeats = 0, arrived_sec = 0, arrived_nsec = 0, is_rotated = is_rotated(tag),
      pod = pod_of_tag(tag),
    }
    sources[tag], source_count = source, source_count + 1
  end
  return source
end

-- The nanoseconds that a stamp leaves open: a second of one in seconds, and none of one that says them.
local function open_ns(nsec)
  return nsec == 0 and 1000000000 or nsec % 1000000 == 0 and 1000000 or nsec % 1000 == 0 and 1000 or 1
end

-- What was sent of late: stream, time and line -> how many nanoseconds on the next is free. Two
-- generations, so that a line is remembered for as many as MAX_SENT others at least.
local MAX_SENT = 10000
local sent, sent_before, sent_count = {}, {}, 0

local function key_of(stream, sec, nsec, line)
  return concat({ stream, sec, nsec, #line, sub(line, 1, 64), sub(line, -64) }, "\0")
end

-- The next nanosecond at which a stream has no such line: of two containers of one service, or of
-- stamps that take turns, Loki would store one. One that only begins and ends alike moves as well.
local function next_free(stream, sec, nsec, line, room)
  local ns, key = nsec, key_of(stream, sec, nsec, line)
  local first = key
  local jump = sent[key] or sent_before[key]
  while jump and ns + jump < nsec + room do
    ns = ns + jump
    key = key_of(stream, sec, ns, line)
    jump = sent[key] or sent_before[key]
  end
  if sent_count >= MAX_SENT then
    sent, sent_before, sent_count = {}, sent, 0
  end
  sent[key], sent[first], sent_count = 1, ns - nsec + 1, sent_count + 1
  return ns
end

-- A repetition counts up the nanoseconds that its stamp leaves open, and so keeps the order.
local function keep_apart(source, sec, nsec, stream, line)
  local room = open_ns(nsec)
  if room == 1 then
    return nsec
  end
  if sec ~= source.sec or nsec ~= source.nsec then
    source.sec, source.nsec, source.repeats = sec, nsec, 0
  else
    source.repeats = source.repeats + 1
  end
  local repeats = source.repeats % room
  return next_free(stream, sec, nsec + repeats, line, room - repeats)
end

-- Each arrival is greater than the one before.
local function arrival(source, time)
  local sec, nsec = time.sec, time.nsec
  local last_sec, last_nsec = source.arrived_sec, source.arrived_nsec
  if sec < last_sec or (sec == last_sec and nsec <= last_nsec) then
    sec, nsec = last_sec, last_nsec + 1
    if nsec > 999999999 then
      sec, nsec = sec + 1, 0
    end
  end
  source.arrived_sec, source.arrived_nsec = sec, nsec
  return sec, nsec
end

-- The name of the cluster, where this is one and it has a name.
local CLUSTER = word(os.getenv("CLUSTER"))
local NO_POD = {}

-- What is known of the pod. A record of any other input may bear a field `kubernetes`: whoever sent it
-- has no say in whose lines they are.
local function pod_of(tag, record, source)
  if tag == "line:events" then
    return record.kubernetes  -- events.lua made it
  end
  local pod = source.pod
  if pod and not pod.is_known then
    pods.look_up(pod)
  end
  return pod
end

local function keeps_to_itself(pod, record)
  return pod and pod.excluded and pod.excluded[record.stream]
end

-- The service of lines that name none: what the platform knows, the best first.
local function default_service(tag, record, pod)
  if pod then
    return word(pod.service) or word(pod.container_name)
  end
  local attrs = type(record.attrs) == "table" and record.attrs or record
  return word(attrs.service)
    or word(attrs["com.docker.compose.service"])
    or word(match(word(record.container_name) or word(attrs.tag) or "", "[^/]+$"))
    or match(tag, "^line:file%.(.+)$")
    or match(tag, "^line:container%.([^_]+)")
end

-- Whether a line is of a file that was rotated, and was printed so long ago that it is taken as sent:
-- sent again, Loki may find it too far behind. One with the usual settings takes an hour.
local function is_sent_before(source, sec)
  return source.is_rotated and sec < os.time() - ROTATED_SINCE_S
end

-- The line without a byte order mark, and without NUL bytes before it: see
-- pylib/src/lokikit/ship/lines.py.
local function without_marks(line)
  local first = byte(line, 1)
  if first ~= 0 and first ~= 0xEF then
    return line
  end
  return (string.gsub(string.gsub(line, "^%z+", ""), "^\239\187\191", ""))
end

-- The line without its line end. Of a followed file, Fluent Bit has taken the CR already.
local function without_end(line, tag)
  local last = #line
  if byte(line, last) == LF then
    last = last - 1
  end
  if byte(line, last) == CR and sub(tag, 1, 10) ~= "line:file." then
    last = last - 1
  end
  return sub(line, 1, last)
end

-- Structured metadata: ids of the line, and what only the platform knows.
local function metadata_of(fields, record, pod, truncated)
  return {
    request_id = word(fields.request_id),
    trace_id = word(fields.trace_id),
    detected_level = levels.untold(fields),
    stream = word(record.source or record.stream),
    pod = word(pod.pod_name),
    container = word(pod.container_name),
    node = word(pod.host),
    truncated = truncated and "true" or nil,
  }
end

-- Fluent Bit holds seconds in 32 bits: a time outside would come back as another one. Of these the
-- two highest are no time to it, but mark groups of records: such a line would be gone.
local function within_range(sec)
  return math.max(0, math.min(sec, 4294967293))
end

-- A record without a line, which only a client of the forward protocol can send. It is kept as it is
-- under a name of ours: left alone, its own fields would be read as labels and as the tenant.
local function without_line(time, record)
  return 1, time, { log = next(record) and record or "{}", service_name = UNKNOWN_SERVICE }
end

local function entry_of(tag, time, record)
  if type(record.log) ~= "string" then
    return without_line(time, record)
  end
  local source = source_of(tag)
  if is_sent_before(source, time.sec) then
    return -1, time, record
  end
  local whole, is_simple = cleaned(without_marks(without_end(record.log, tag)))
  if whole == "" then
    return -1, time, record
  end
  local pod = pod_of(tag, record, source)
  if keeps_to_itself(pod, record) then
    return -1, time, record
  end
  local fields = jsonline.fields(whole, is_simple)
  line_fields = fields
  local line = fit(whole, MAX_LINE_BYTES)
  local kept = {
    log = line,
    service_name = label(fields.service) or label(default_service(tag, record, pod)) or UNKNOWN_SERVICE,
    env = label(fields.env),
    cluster = pod and CLUSTER,
    namespace = pod and word(pod.namespace_name),
    metadata = metadata_of(fields, record, pod or NO_POD, #line < #whole),
  }
  local sec, nsec = read_time(fields)
  if sec then
    local stream = concat({ kept.service_name, kept.env or "", kept.namespace or "" }, "\0")
    time.sec, time.nsec = within_range(sec), keep_apart(source, sec, nsec, stream, line)
  else
    time.sec, time.nsec = arrival(source, time)
  end
  return 1, time, kept
end

-- After an error Fluent Bit sends the whole chunk as it came, with the labels and the tenant that its
-- records name. So an error costs one record its labels, and nothing else.
function contract(tag, time, record)
  local done, code, stamp, kept = pcall(entry_of, tag, time, record)
  if done then
    return code, stamp, kept
  end
  line_fields = {}
  io.stderr:write("[contract] " .. tostring(code) .. "\n")
  return without_line(time, record)
end

-- Plain files beside Loki, for who asks for them: docs/split-files.md.
if (os.getenv("FLUENTBIT_SPLIT_DIR") or "") ~= "" then
  -- It reads `line_fields`, the fields of the line at hand.
  want_fields = jsonline.want
  dofile(HERE .. "split.lua")
end
