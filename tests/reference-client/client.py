"""Feeds scripted tool calls to the real client and reports what became of each.

The client talks to a stand-in for its service on loopback, which answers every turn with the next
call of the script. Nothing is known about the client but its published interfaces: the streaming
format of its messages, its settings, its hooks.
"""
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The stand-in for the user's shell prints this instead of running anything, and files hold it.
RAN = "__RAN__"


class Script:
    """The calls, handed out one a turn, and what the client sent back for each."""

    def __init__(self, calls):
        self.calls = [{"id": f"toolu_{index}", "name": tool, "input": arguments}
                      for index, (tool, arguments) in enumerate(calls)]
        self.next = 0
        self.results = {}
        self.lock = threading.Lock()

    def turn(self, request):
        """The answer to one request for a message."""
        with self.lock:
            for message in request.get("messages", []):
                parts = message["content"] if isinstance(message["content"], list) else []
                for part in parts:
                    if part.get("type") == "tool_result":
                        self.results[part["tool_use_id"]] = text_of(part.get("content"))
            # The client also asks side questions, which offer no tools.
            if not request.get("tools") or self.next == len(self.calls):
                return None
            call = self.calls[self.next]
            self.next += 1
            return call


def text_of(content):
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content or [])


def service(script):
    """An HTTP server on loopback that speaks as much of the message format as the client needs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            pass

        def do_GET(self):
            self.plain({})

        def do_HEAD(self):
            self.plain({})

        def do_POST(self):
            length = int(self.headers.get("content-length") or 0)
            request = json.loads(self.rfile.read(length) or b"{}")
            if "count_tokens" in self.path:
                return self.plain({"input_tokens": 1})
            if not self.path.startswith("/v1/messages"):
                return self.plain({})
            call = script.turn(request)
            block = {"type": "text", "text": "done"} if call is None else {"type": "tool_use", **call}
            message = {
                "id": f"msg_{script.next}", "type": "message", "role": "assistant",
                "model": request.get("model"), "content": [block],
                "stop_reason": "end_turn" if call is None else "tool_use", "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }
            return self.stream(message) if request.get("stream") else self.plain(message)

        def plain(self, value):
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def stream(self, message):
            block = message["content"][0]
            if block["type"] == "tool_use":
                start = {**block, "input": {}}
                delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            else:
                start = {**block, "text": ""}
                delta = {"type": "text_delta", "text": block["text"]}
            end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
            events = [
                {"type": "message_start",
                 "message": {**message, "content": [], "stop_reason": None}},
                {"type": "content_block_start", "index": 0, "content_block": start},
                {"type": "content_block_delta", "index": 0, "delta": delta},
                {"type": "content_block_stop", "index": 0},
                {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}},
                {"type": "message_stop"},
            ]
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for event in events:
                line = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                self.wfile.write(line.encode())
            self.close_connection = True

    class Server(ThreadingHTTPServer):
        # The client drops connections when it ends.
        def handle_error(self, _request, _address):
            pass

    return Server(("127.0.0.1", 0), Handler)


def run(binary, home, project, shell, calls, settings, extra_environment=None, deadline=60):
    """What became of each call: `ran`, `asked` or `blocked`, with the words the model would see."""
    script = Script(calls)
    server = service(script)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "HOME": home,
        "PATH": "/usr/bin:/bin",
        "SHELL": shell,
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{server.server_port}",
        "ANTHROPIC_API_KEY": "made-up",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "IS_SANDBOX": "1",
        **(extra_environment or {}),
    }
    arguments = [
        binary, "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
        "--permission-prompt-tool", "stdio", "--settings", json.dumps(settings),
    ]
    with open(os.path.join(home, "client.log"), "a", encoding="utf-8") as log:
        client = subprocess.Popen(
            arguments, cwd=project, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        watchdog = threading.Timer(deadline, client.kill)
        watchdog.start()
        asked = converse(client)
        watchdog.cancel()
        client.stdin.close()
        try:
            client.wait(timeout=20)
        except subprocess.TimeoutExpired:
            client.kill()
    server.shutdown()
    outcomes = []
    for call in script.calls:
        words = script.results.get(call["id"])
        if call["id"] in asked:
            outcome = "asked"
        elif words is None:
            outcome = "lost"
        elif RAN in words:
            outcome = "ran"
        else:
            outcome = "blocked"
        outcomes.append((outcome, words or ""))
    return outcomes


def converse(client):
    """Starts the conversation, says no to every prompt, and returns what was prompted for."""
    asked = set()

    def send(value):
        client.stdin.write(json.dumps(value) + "\n")
        client.stdin.flush()

    content = {"role": "user", "content": "go"}
    send({"type": "user", "message": content, "parent_tool_use_id": None, "session_id": ""})
    for line in client.stdout:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if message.get("type") == "control_request":
            response = {}
            if message["request"].get("subtype") == "can_use_tool":
                asked.add(message["request"].get("tool_use_id"))
                response = {"behavior": "deny", "message": "prompted"}
            send({"type": "control_response", "response": {
                "subtype": "success", "request_id": message["request_id"], "response": response}})
        if message.get("type") == "result":
            break
    return asked
