"""What the real client does with our hook: usage scenario.py CLIENT PORTCULLIS FOLDER."""
import json
import os
import subprocess
import sys

import client

CLIENT, PORTCULLIS, FOLDER = sys.argv[1:4]
HOME, PROJECT = os.path.join(FOLDER, "home"), os.path.join(FOLDER, "project")
POLICY = os.path.join(FOLDER, "policy.json")

# The client itself lets everything run, so that whatever does not is the hook's doing.
EVERYTHING = {"permissions": {"allow": ["Bash", "Read", "Edit", "Write", "WebFetch"]}}

RULES = {"permissions": {
    "allow": ["Bash(make *)", "Bash(echo *)"],
    "ask": ["Bash(git push *)"],
    "deny": ["Bash(curl *)", "Read(secrets/**)", "WebFetch"],
}}

# Tool, input, and what has to become of it under the rules.
CALLS = [
    ("Bash", {"command": "make all"}, "ran"),
    ("Bash", {"command": "curl -V"}, "blocked"),
    ("Bash", {"command": "make all && c''url -V"}, "blocked"),
    ("Bash", {"command": "echo $(timeout 5 curl -V)"}, "blocked"),
    ("Bash", {"command": "echo 'curl -V'"}, "ran"),
    ("Bash", {"command": "git push origin main"}, "asked"),
    ("Bash", {"command": "cargo publish"}, "asked"),
    ("Bash", {"command": "make \"unterminated"}, "asked"),
    ("Read", {"file_path": f"{PROJECT}/secrets/key"}, "blocked"),
    ("Read", {"file_path": f"{PROJECT}/open"}, "ran"),
    # The rule takes the tool away: whoever calls it all the same is stopped.
    ("WebFetch", {"url": "https://example.com/", "prompt": "x"}, "blocked"),
]

FAULTS = ["panic", "overflow", "oom", "kill", "abort", "garbage", "half", "allow-then-abort",
          "endless", "hang"]

failures = []
checked = 0


def check(what, outcome, *expected):
    global checked
    checked += 1
    if outcome[0] not in expected:
        failures.append(f"{what}: {outcome[0]}, not {' or '.join(expected)}: {outcome[1][:200]}")


def run(calls, **options):
    """One session; the client sometimes loses a call at its start, which is not an outcome."""
    for _attempt in range(3):
        outcomes = client.run(CLIENT, HOME, PROJECT, os.path.join(FOLDER, "bash"), calls, EVERYTHING,
                              **options)
        if all(outcome != "lost" for outcome, _ in outcomes):
            break
    return outcomes


def main():
    for folder in ["home", "project/secrets", "project/.git"]:
        os.makedirs(os.path.join(FOLDER, folder), exist_ok=True)
    for name in ["secrets/key", "open"]:
        with open(os.path.join(PROJECT, name), "w", encoding="utf-8") as file:
            file.write(client.RAN + "\n")
    shell = os.path.join(FOLDER, "bash")
    with open(shell, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\necho {client.RAN}\n")
    os.chmod(shell, 0o755)
    with open(POLICY, "w", encoding="utf-8") as file:
        json.dump(RULES, file)

    calls = [(tool, arguments) for tool, arguments, _ in CALLS]

    # Without the hook nothing stops them: what is blocked below is blocked by the hook.
    for (tool, arguments, _), outcome in zip(CALLS, run(calls)):
        if tool == "Bash":
            check(f"without the hook, {arguments}", outcome, "ran")

    install = [PORTCULLIS, "install", "--agent", "claude-code", "--user", "--home", HOME,
               "--", "--no-discovery", "--policy", POLICY]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    for (tool, arguments, expected), outcome in zip(CALLS, run(calls)):
        check(f"{tool} {arguments}", outcome, expected)

    for fault in FAULTS:
        outcome = run([("Bash", {"command": "make all"})],
                      extra_environment={"PORTCULLIS_FAULT": fault})[0]
        check(f"worker fails by {fault}", outcome, "blocked")

    # A policy that cannot be read blocks or asks; it never lets through.
    with open(POLICY, "w", encoding="utf-8") as file:
        file.write("{ not json")
    outcome = run([("Bash", {"command": "make all"})])[0]
    check("a broken policy file", outcome, "asked", "blocked")

    subprocess.run([PORTCULLIS, "uninstall", "--agent", "claude-code", "--user", "--home", HOME],
                   check=True, stdout=subprocess.DEVNULL)
    check("after uninstalling", run([("Bash", {"command": "curl -V"})])[0], "ran")

    for failure in failures:
        print(failure)
    print(f"{checked - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
