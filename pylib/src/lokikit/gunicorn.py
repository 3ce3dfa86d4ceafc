"""Gunicorn: `--logger-class lokikit.gunicorn.Logger`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger as _GunicornLogger

from lokikit.http_requests.request_log import RequestLog, sane_id
from lokikit.http_requests.served import are_told_here
from lokikit.http_requests.wsgi import wsgi_path
from lokikit.output.stdout_handler import is_ours
from lokikit.output.told_once import leave_out
from lokikit.setup import keep_json_logging

if TYPE_CHECKING:
    import logging


class Logger(_GunicornLogger):  # type: ignore[misc] # it has no types
    """Master and workers log lines of the contract, and each request that no middleware tells.

    Handlers that write to files (`--error-logfile`, `--access-logfile`) stay.
    """

    def setup(self, cfg: Any) -> None:
        """Set up Gunicorn's own logging, then take its console handlers off."""
        super().setup(cfg)
        ours = [one for one in keep_json_logging().handlers if is_ours(one)]
        for logger in (self.error_log, self.access_log):
            # Uvicorn's worker gives these very handlers to loggers that do not propagate.
            logger.propagate = False
            for handler in ours:
                logger.addHandler(handler)
        leave_out(self.access_log.name, _is_access_line)
        self._requests = RequestLog()

    @property
    def access_log_enabled(self) -> bool:
        """Whether requests are to be given to `access`."""
        return True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Tell a request that no middleware tells."""
        if any(not is_ours(one) for one in self.access_log.handlers):
            super().access(resp, req, environ, request_time)
        if are_told_here():
            return
        get = environ.get
        self._requests.tell(
            get("REQUEST_METHOD", ""),
            wsgi_path(environ),
            status=int(str(resp.status)[:3]),
            duration_ms=request_time.seconds * 1000 + request_time.microseconds / 1000,
            size_bytes=getattr(resp, "sent", None),
            client_ip=self._requests.client_ip(
                get("REMOTE_ADDR", ""), get("HTTP_X_FORWARDED_FOR", "")
            ),
            request_id=sane_id(get("HTTP_X_REQUEST_ID")),
        )


def _is_access_line(record: logging.LogRecord) -> bool:
    """Whether it is the text of what `access` has told."""
    return record.name == "gunicorn.access"
