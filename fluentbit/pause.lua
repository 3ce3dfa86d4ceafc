-- Wait for some milliseconds: Lua has no sleep of its own, and Fluent Bit's Lua reaches that of the system.

local has_ffi, ffi = pcall(require, "ffi")
if has_ffi then
  ffi.cdef("int poll(void *fds, unsigned long count, int timeout_ms);")
end

return function(milliseconds)
  if has_ffi then
    ffi.C.poll(nil, 0, milliseconds)
  end
end
