"""First lines of requests that no client would send."""

from __future__ import annotations

LINES = (
    b"GET / HTTP/9.9\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://evil.example/v2.0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /v2.0 HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
    b"GET /v2.0 HTTP/1.1\r\nHost: a\r\nX-Auth-Token: \xff\xfe\r\nConnection: close\r\n\r\n",
    b"GET /v2.0?\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"PROPFIND /v2.0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"NONSENSE /v2.0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"POST /v2.0/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /v2.0/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
    b"POST /v2.0/tokens HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /v2.0 HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000 + b"\r\nConnection: close\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)
