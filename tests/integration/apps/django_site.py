"""A whole Django project around the settings of the page."""

import logging
import os
import sys
from pathlib import Path

import django
import requests
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from requests.adapters import HTTPAdapter
from urllib3 import Retry

import lokikit

sys.path.insert(0, str(Path(__file__).parent))
import settings as page

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DEBUG=False,
    LOGGING=page.LOGGING,
    MIDDLEWARE=[*page.MIDDLEWARE, "django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF="django_site",
    SECRET_KEY="of a test",  # noqa: S106 - it guards nothing
    WSGI_APPLICATION="django_site.wsgi",
)
django.setup()
log = logging.getLogger("shop.views")
session = lokikit.pass_request_id(requests.Session())
# The other server closes a connection that it has not heard of for a while.
session.mount("http://", HTTPAdapter(max_retries=Retry(3)))


def order(_: HttpRequest, number: int) -> HttpResponse:
    """One order."""
    log.info("looking for %d", number)
    return HttpResponse(f"order {number}")


def crash(_: HttpRequest) -> HttpResponse:
    """A bug."""
    raise RuntimeError("no such warehouse")


async def health(_: HttpRequest) -> HttpResponse:
    """Fine."""
    return HttpResponse("ok")


def ask(_: HttpRequest) -> HttpResponse:
    """What another service says."""
    return HttpResponse(session.get(os.environ["OTHER_URL"] + "/orders/7", timeout=60).text)


urlpatterns = [
    path("orders/", include([path("<int:number>", order)])),
    path("crash", crash),
    path("health", health),
    path("ask", ask),
]
wsgi, asgi = get_wsgi_application(), get_asgi_application()

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    sys.modules["django_site"] = sys.modules["__main__"]
    execute_from_command_line(sys.argv)
