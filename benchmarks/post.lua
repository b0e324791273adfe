-- Posts incidents that are all different; the placeholders are filled by benchmarks/run.py.
local alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
math.randomseed(os.time())

local function id()
  local text = ""
  for _ = 1, 10 do
    local at = math.random(#alphabet)
    text = text .. alphabet:sub(at, at)
  end
  return text
end

local function day()
  return string.format("%04d-%02d-%02d", math.random(2000, 2025), math.random(12), math.random(28))
end

local bodies = {BODIES}

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer KEY"

request = function()
  local body = bodies[math.random(#bodies)]
  return wrk.format(nil, nil, nil, (body:gsub("@ID", id()):gsub("@DAY", day())))
end
