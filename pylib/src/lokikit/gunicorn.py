"""Gunicorn: `--logger-class lokikit.gunicorn.Logger`."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger as _GunicornLogger

from lokikit.http_requests.access_logs import LOGGED
from lokikit.http_requests.request_ids import ids_of
from lokikit.http_requests.request_log import RequestLog
from lokikit.http_requests.served import are_logged_here
from lokikit.http_requests.wsgi import wsgi_path
from lokikit.output.stdout_handler import is_ours
from lokikit.setup import keep_json_logging


class Logger(_GunicornLogger):  # type: ignore[misc] # it has no types
    """Writes lines of the kit in master and workers, and logs requests without a middleware.

    Handlers that write to files (`--error-logfile`, `--access-logfile`) stay.
    """

    def setup(self, cfg: Any) -> None:
        """Set up Gunicorn's own logging, then remove its console handlers."""
        super().setup(cfg)
        ours = [one for one in keep_json_logging().handlers if is_ours(one)]
        for logger in (self.error_log, self.access_log):
            # Uvicorn's worker gives these very handlers to loggers that do not propagate.
            logger.propagate = False
            for handler in ours:
                logger.addHandler(handler)
        self._requests = RequestLog()

    @property
    def access_log_enabled(self) -> bool:
        """True: Gunicorn passes each request to `access`."""
        return True

    def atoms(self, *answered: Any) -> dict[str, Any]:
        """Return the values of an access line, whose request `access` logs itself."""
        return {**super().atoms(*answered), LOGGED: True}

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Log a request that no middleware logs."""
        if any(not is_ours(one) for one in self.access_log.handlers):
            super().access(resp, req, environ, request_time)
        if are_logged_here():
            return
        get = environ.get
        self._requests.write(
            get("REQUEST_METHOD", ""),
            wsgi_path(environ),
            status=int(str(resp.status)[:3]),
            duration_ms=request_time.seconds * 1000 + request_time.microseconds / 1000,
            size_bytes=getattr(resp, "sent", None),
            client_ip=self._requests.client_ip(
                get("REMOTE_ADDR", ""), get("HTTP_X_FORWARDED_FOR", "")
            ),
            ids=ids_of(get("HTTP_X_REQUEST_ID"), get("HTTP_TRACEPARENT")),
        )
