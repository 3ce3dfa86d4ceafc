-- A line as UTF-8: other bytes are replaced as Python replaces them, one character for each piece
-- that no character can begin with.

local byte, concat, sub = string.byte, table.concat, string.sub

local REPLACEMENT = "\239\191\189"

-- How many bytes from `at` on are one character, and whether they are a whole one.
local function character(text, at)
  local c = byte(text, at)
  if c < 0x80 then
    return 1, true
  elseif c < 0xC2 or c > 0xF4 then
    return 1, false
  end
  local more = c < 0xE0 and 1 or c < 0xF0 and 2 or 3
  local low = c == 0xE0 and 0xA0 or c == 0xF0 and 0x90 or 0x80
  local high = c == 0xED and 0x9F or c == 0xF4 and 0x8F or 0xBF
  for number = 1, more do
    local next_byte = byte(text, at + number)
    if not next_byte or next_byte < low or next_byte > high then
      return number, false
    end
    low, high = 0x80, 0xBF
  end
  return more + 1, true
end

-- `text` with a replacement character for each piece that is no UTF-8.
local function valid(text)
  local parts, begin, at = nil, 1, 1
  while at <= #text do
    local bytes, whole = character(text, at)
    if not whole then
      parts = parts or {}
      parts[#parts + 1] = sub(text, begin, at - 1)
      parts[#parts + 1] = REPLACEMENT
      begin = at + bytes
    end
    at = at + bytes
  end
  if not parts then
    return text
  end
  parts[#parts + 1] = sub(text, begin)
  return concat(parts)
end

-- `text` as UTF-8, and whether it holds neither a backslash nor a control character.
return function(text)
  local is_simple, is_ascii = true, true
  for at = 1, #text do
    local c = byte(text, at)
    if c < 32 or c == 92 then
      is_simple = false
    elseif c >= 0x80 then
      is_ascii = false
    end
  end
  return is_ascii and text or valid(text), is_simple
end
