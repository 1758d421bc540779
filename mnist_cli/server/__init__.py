"""Serves predictions over HTTP: a Flask app for any WSGI server, and waitress to run it."""
