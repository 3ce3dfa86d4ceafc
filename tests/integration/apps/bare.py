"""Applications that no middleware of ours is around: WSGI, and ASGI."""

import lokikit

lokikit.setup_json_logging()


def wsgi(environ, start_response):
    """Say which order was asked for."""
    found = environ["PATH_INFO"].startswith(("/orders/", "/health"))
    start_response("200 OK" if found else "404 Not Found", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].strip("/").replace("s/", " ").encode()]


async def asgi(scope, receive, send):
    """Answer as `wsgi` does."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = scope["path"].strip("/").replace("s/", " ").encode()
    status = 200 if scope["path"].startswith(("/orders/", "/health")) else 404
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length]})
    await send({"type": "http.response.body", "body": body})
