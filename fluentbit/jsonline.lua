-- The fields of a line that is one JSON object, read as pylib/src/lokikit/delivery/entry.py reads them.
--
-- The built-in JSON parser takes what is no JSON (a text behind the object, control characters in
-- strings), refuses what Python takes, and makes a record of every field, when only a few are
-- asked for: that was a third of the agent's work. The loops below take a byte at a time because
-- LuaJIT compiles such loops, and no patterns.

local byte, char, concat, find, sub =
  string.byte, string.char, table.concat, string.find, string.sub

local MAX_DEPTH = 1000

local SIMPLE = {
  [34] = '"', [47] = "/", [92] = "\\",
  [98] = "\b", [102] = "\f", [110] = "\n", [114] = "\r", [116] = "\t",
}
-- By their first byte. The last two are what Python's json writes for what JSON cannot say.
local LITERALS = { [116] = "true", [102] = "false", [110] = "null", [78] = "NaN", [73] = "Infinity" }

-- The place of what follows the white space, and what it is.
local function skip(text, at)
  local c = byte(text, at)
  while c == 32 or c == 10 or c == 13 or c == 9 do
    at = at + 1
    c = byte(text, at)
  end
  return at, c
end

-- Each `…_end` gives the place behind what begins at `at`, nothing when it is not well formed.

local function string_end(text, at)
  local escaped = false
  at = at + 1
  while true do
    local c = byte(text, at)
    if c == 34 then
      return at + 1, escaped
    elseif not c or c < 32 then
      return nil
    elseif c ~= 92 then
      at = at + 1
    else
      escaped = true
      c = byte(text, at + 1)
      if c == 117 and find(text, "^%x%x%x%x", at + 2) then
        at = at + 6
      elseif c and SIMPLE[c] then
        at = at + 2
      else
        return nil
      end
    end
  end
end

local function digits_end(text, at)
  local c = byte(text, at)
  if not c or c < 48 or c > 57 then
    return nil
  end
  repeat
    at = at + 1
    c = byte(text, at)
  until not c or c < 48 or c > 57
  return at
end

local function literal_end(text, at)
  local word = LITERALS[byte(text, at)]
  if word and sub(text, at, at + #word - 1) == word then
    return at + #word
  end
  return nil
end

local function number_end(text, at)
  local c = byte(text, at)
  if c == 45 then
    at = at + 1
    c = byte(text, at)
    if c == 73 then
      return literal_end(text, at)
    end
  end
  at = c == 48 and at + 1 or digits_end(text, at)
  if at and byte(text, at) == 46 then
    at = digits_end(text, at + 1)
  end
  c = at and byte(text, at)
  if c == 101 or c == 69 then
    c = byte(text, at + 1)
    at = digits_end(text, (c == 43 or c == 45) and at + 2 or at + 1)
  end
  return at
end

local value_end

local function array_end(text, at, depth)
  local c
  at, c = skip(text, at + 1)
  if c == 93 then
    return at + 1
  end
  while c do
    at = value_end(text, at, c, depth)
    if not at then
      return nil
    end
    at, c = skip(text, at)
    if c == 93 then
      return at + 1
    elseif c ~= 44 then
      return nil
    end
    at, c = skip(text, at + 1)
  end
  return nil
end

local note

-- Notes the fields of the outermost object.
local function object_end(text, at, depth)
  local c
  at, c = skip(text, at + 1)
  if c == 125 then
    return at + 1
  end
  while c == 34 do
    local name_at = at
    local name_end, escaped = string_end(text, at)
    if not name_end then
      return nil
    end
    at, c = skip(text, name_end)
    if c ~= 58 then
      return nil
    end
    at, c = skip(text, at + 1)
    local value_at = at
    at = c and value_end(text, at, c, depth)
    if not at then
      return nil
    end
    if depth == 1 then
      note(text, name_at, name_end, escaped, value_at, at)
    end
    at, c = skip(text, at)
    if c == 125 then
      return at + 1
    elseif c ~= 44 then
      return nil
    end
    at, c = skip(text, at + 1)
  end
  return nil
end

function value_end(text, at, c, depth)
  if c == 34 then
    return (string_end(text, at))
  elseif c == 123 then
    return depth < MAX_DEPTH and object_end(text, at, depth + 1) or nil
  elseif c == 91 then
    return depth < MAX_DEPTH and array_end(text, at, depth + 1) or nil
  elseif c == 45 or (c >= 48 and c <= 57) then
    return number_end(text, at)
  end
  return literal_end(text, at)
end

local function utf8(point)
  if point < 0x80 then
    return char(point)
  elseif point < 0x800 then
    return char(0xC0 + math.floor(point / 64), 0x80 + point % 64)
  elseif point < 0x10000 then
    return char(0xE0 + math.floor(point / 4096), 0x80 + math.floor(point / 64) % 64, 0x80 + point % 64)
  end
  return char(
    0xF0 + math.floor(point / 262144), 0x80 + math.floor(point / 4096) % 64,
    0x80 + math.floor(point / 64) % 64, 0x80 + point % 64
  )
end

-- What a string says, from behind its quote to before the other. A surrogate without its other
-- half is a question mark, as Python encodes it.
local function unescaped(text, at, last)
  local parts = {}
  while at <= last do
    local slash = find(text, "\\", at, true)
    if not slash or slash > last then
      parts[#parts + 1] = sub(text, at, last)
      break
    end
    parts[#parts + 1] = sub(text, at, slash - 1)
    local c = byte(text, slash + 1)
    at = slash + 2
    if c ~= 117 then
      parts[#parts + 1] = SIMPLE[c]
    else
      local point = tonumber(sub(text, at, at + 3), 16)
      at = at + 4
      if point >= 0xD800 and point < 0xE000 then
        local low = point < 0xDC00 and tonumber(string.match(text, "^\\u([dD][c-fC-F]%x%x)", at) or "", 16)
        if low and at + 5 <= last then
          point = 0x10000 + (point - 0xD800) * 1024 + (low - 0xDC00)
          at = at + 6
        else
          point = 63
        end
      end
      parts[#parts + 1] = utf8(point)
    end
  end
  return concat(parts)
end

-- Whole numbers that Lua writes as they were written stay numbers; of any other the text, for an id
-- of 16 digits is no number to be rounded.
local function number_of(token)
  if #token <= 15 and not find(token, "[.eE]") and token ~= "-0" then
    return tonumber(token)
  end
  return token
end

-- A string, a number or the word that it is; nothing for null, arrays and objects.
local function value_of(text, at, behind)
  local c = byte(text, at)
  if c == 34 then
    if find(sub(text, at, behind), "\\", 1, true) then
      return unescaped(text, at + 1, behind - 2)
    end
    return sub(text, at + 1, behind - 2)
  elseif c == 123 or c == 91 or c == 110 then
    return nil
  elseif c == 45 or (c >= 48 and c <= 57) then
    local token = sub(text, at, behind - 1)
    return token == "-Infinity" and token or number_of(token)
  end
  return sub(text, at, behind - 1)
end

-- What is looked for, how long (with a quote) such names are, and what the line at hand has of it.
local wanted, sizes, found = {}, {}, {}

function note(text, name_at, name_end, escaped, value_at, value_behind)
  local name = sub(text, name_at + 1, name_end - 2)
  if escaped then
    name = unescaped(text, name_at + 1, name_end - 2)
  end
  if wanted[name] then
    found[name] = value_of(text, value_at, value_behind)
  end
end

-- `object_end` of the outermost object of a text without escapes and control characters: there a
-- string ends at the next quote.
local function simple_object_end(text, at)
  local c
  at, c = skip(text, at + 1)
  if c == 125 then
    return at + 1
  end
  while c == 34 do
    local quote = find(text, '"', at + 1, true)
    if not quote then
      return nil
    end
    -- Most names are not even as long as one that is asked for.
    local name = sizes[quote - at] and sub(text, at + 1, quote - 1)
    at, c = skip(text, quote + 1)
    if c ~= 58 then
      return nil
    end
    at, c = skip(text, at + 1)
    local value_at = at
    if c == 34 then
      quote = find(text, '"', at + 1, true)
      if not quote then
        return nil
      end
      at = quote + 1
      if name and wanted[name] then
        found[name] = sub(text, value_at + 1, quote - 1)
      end
    else
      at = c and value_end(text, at, c, 1)
      if not at then
        return nil
      end
      if name and wanted[name] then
        found[name] = value_of(text, value_at, at)
      end
    end
    at, c = skip(text, at)
    if c == 125 then
      return at + 1
    elseif c ~= 44 then
      return nil
    end
    at, c = skip(text, at + 1)
  end
  return nil
end

local M = {}

-- Names of fields to look for, from now on.
function M.want(names)
  for _, name in ipairs(names) do
    wanted[name], sizes[#name + 1] = true, true
  end
end

-- The fields of `text` that are wanted; of a name that stands twice the last one. `is_simple` says
-- that it has neither escapes nor control characters.
function M.fields(text, is_simple)
  local at, c = skip(text, 1)
  if c ~= 123 then
    return {}
  end
  found = {}
  at = (is_simple and simple_object_end or object_end)(text, at, 1)
  if not at or skip(text, at) <= #text then
    return {}
  end
  return found
end

return M
