#!/usr/bin/env python3
"""Answers the questions of `portcullis proxy --ask unix:PATH` by asking a person.

Usage: control-channel-client.py PATH, before the proxy is started.
"""

import json
import os
import socket
import sys


def main(path: str) -> None:
    if os.path.exists(path):
        sys.exit(f"{path} exists already; remove it, or name another")
    server = socket.socket(socket.AF_UNIX)
    # Whoever can connect here can pose as the proxy; whoever can answer decides.
    os.umask(0o077)
    server.bind(path)
    server.listen(1)
    connection, _ = server.accept()
    stream = connection.makefile("rw", encoding="utf-8", newline="\n")
    for line in stream:
        message = json.loads(line)
        if message["type"] == "ask":
            shown = message["host"]
            if "unicode" in message:
                shown += " (" + message["unicode"] + ")"
            reply = input(f"{message['sandbox']} wants {shown} port {message['port']}. Allow? [y/N] ")
            answer = "allow" if reply.strip().lower() in ("y", "yes") else "deny"
            stream.write(json.dumps({"type": "answer", "id": message["id"], "answer": answer}) + "\n")
            stream.flush()
        elif message["type"] == "report" and message["verdict"] == "deny":
            print(message.get("message", ""), file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
