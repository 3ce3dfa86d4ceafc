"""The application for a WSGI server."""

from shop import create_app

app = create_app()
