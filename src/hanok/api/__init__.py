"""The dialects: JSON in, JSON out; nothing below this folder knows HTTP.

Each service is a table of endpoints (`_call.Endpoint`); `_serve` puts them behind routes, `_errors`
holds each service's own error shape. A handler is a plain function from a `Call` to an `Answer`; it
runs in a worker thread, together with authentication, policy and encoding.
"""
