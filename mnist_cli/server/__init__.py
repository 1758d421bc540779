"""The HTTP server: a plain Flask app that any WSGI server can run, and waitress to run it."""
