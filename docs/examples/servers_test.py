#!/usr/bin/env python3
"""The example servers against real clients on loopback: curl, wrk with 1,000 connections, readers
that are slow, connections half closed and reset, and more clients than descriptors.

    servers_test.py ECHO_SERVER HTTP_HELLO [EMULATOR…]
"""

import os
import re
import resource
import socket
import struct
import subprocess
import sys
import threading

CONNECTIONS = 1000
DESCRIPTORS = 2 * CONNECTIONS + 200
PATIENCE = 30  # seconds for any one answer; nothing here takes one


class Server:
    emulator = []

    def __init__(self, program, descriptors=None):
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen([*self.emulator, program, "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        preexec_fn=limit)
        first = self.process.stdout.readline()
        told = re.fullmatch(r"listening on (\S+):(\d+)\n", first)
        if not told:
            sys.exit(f"{program} did not say where it listens, but: {first!r}")
        self.address = (told[1], int(told[2]))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        ended = self.process.poll()
        self.process.kill()
        self.errors = self.process.communicate()[1]
        if kind is None and ended is not None:
            sys.exit(f"the server ended with status {ended}:\n{self.errors}")

    def connect(self):
        client = socket.create_connection(self.address, timeout=PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def wait_until(what, holds):
    """Polls: the other process cannot tell when it has noticed."""
    gate = threading.Event()
    for _ in range(PATIENCE * 100):
        if holds():
            return
        gate.wait(0.01)
    sys.exit(f"after {PATIENCE} s still not: {what}")


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: expected {wanted!r}, got {found!r}")


def read_to_the_end(client):
    parts = []
    while part := client.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def pattern(number, size):
    """Bytes that tell which connection they belong to, and where in it."""
    return b"".join(struct.pack("<II", number, at) for at in range(size // 8))


def every_byte_comes_back(server):
    """1,000 connections at once; each gets its own bytes, all of them, in order."""
    clients = [server.connect() for _ in range(CONNECTIONS)]
    for number, client in enumerate(clients):
        client.sendall(pattern(number, 4096))
    for number, client in enumerate(clients):
        client.shutdown(socket.SHUT_WR)  # half closed: it can still read
    for number, client in enumerate(clients):
        if read_to_the_end(client) != pattern(number, 4096):
            sys.exit(f"echo: connection {number} got other bytes than it sent")
        client.close()


def a_slow_reader_holds_up_nobody(server):
    """One client sends and does not read until the buffers between are full; others are served."""
    slow = server.connect()
    slow.setblocking(False)
    sent = 0
    data = pattern(7, 1 << 16)
    stuck = 0
    while stuck < 20:
        try:
            sent += slow.send(data[sent % len(data):])
            stuck = 0
        except BlockingIOError:
            stuck += 1
            quick = server.connect()
            quick.sendall(b"are you there?")
            expect("beside a reader that is slow", quick.recv(100), b"are you there?")
            quick.close()
    slow.setblocking(True)
    slow.settimeout(PATIENCE)
    slow.shutdown(socket.SHUT_WR)
    back = read_to_the_end(slow)
    if back != (data * (sent // len(data) + 1))[:sent]:
        sys.exit(f"echo: a slow reader sent {sent} bytes and got {len(back)}, or others, back")
    slow.close()


def resets_harm_nobody(server):
    """Every other client resets its connection in the middle; the rest lose no byte."""
    clients = [server.connect() for _ in range(200)]
    for number, client in enumerate(clients):
        client.sendall(pattern(number, 8192))
    for client in clients[::2]:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    for number, client in list(enumerate(clients))[1::2]:
        client.shutdown(socket.SHUT_WR)
        if read_to_the_end(client) != pattern(number, 8192):
            sys.exit(f"echo: connection {number} got other bytes, while others were reset")
        client.close()


def out_of_descriptors(program):
    """More clients than descriptors: a clear error, and service again as soon as some leave."""
    with Server(program, descriptors=40) as server:
        clients = [server.connect() for _ in range(60)]
        # The error is told once in 10 ms, so this comes as soon as there is none left.
        told = server.process.stderr.readline()
        if "Too many open files" not in told:
            sys.exit(f"{program}: out of descriptors it says {told!r}")
        for client in clients[:30]:
            client.close()
        last = clients[-1]
        last.sendall(b"GET / HTTP/1.0\r\n\r\n")
        if not last.recv(1):
            sys.exit(f"{program}: whoever waited for a descriptor was not served")
        for client in clients[30:]:
            client.close()


def curl_understands_it(server):
    host, port = server.address
    url = f"http://{host}:{port}/"
    out = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), "-w", "%{num_connects} ",
                          url, url, url], capture_output=True, text=True, check=True).stdout
    expect("curl, three requests over one connection", out, "hello\n1 hello\n0 hello\n0 ")
    out = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), "-o", os.devnull, "-X", "POST",
                          "-w", "%{http_code}", url], capture_output=True, text=True, check=True)
    expect("curl -X POST", out.stdout, "405")


def wrk_finds_no_error(server):
    host, port = server.address
    out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", "-d1s", "--timeout", f"{PATIENCE}s",
                          f"http://{host}:{port}/"], capture_output=True, text=True, check=True)
    requests = re.search(r"(\d+) requests in", out.stdout)
    if not requests or int(requests[1]) < CONNECTIONS or "Socket errors" in out.stdout \
            or "Non-2xx" in out.stdout:
        sys.exit(f"wrk with {CONNECTIONS} connections:\n{out.stdout}{out.stderr}")


def allow_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        sys.exit(f"this test needs {DESCRIPTORS} descriptors, but the limit is {hard}: "
                 f"raise it with ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))


def main():
    echo, hello, *Server.emulator = sys.argv[1:]
    allow_descriptors()
    with Server(echo) as server:
        before = server.descriptors()
        every_byte_comes_back(server)
        a_slow_reader_holds_up_nobody(server)
        resets_harm_nobody(server)
        wait_until("the echo server has closed all connections",
                   lambda: server.descriptors() == before)
    with Server(hello) as server:
        before = server.descriptors()
        curl_understands_it(server)
        wrk_finds_no_error(server)
        wait_until("the HTTP server has closed all connections",
                   lambda: server.descriptors() == before)
    out_of_descriptors(echo)
    out_of_descriptors(hello)


main()
