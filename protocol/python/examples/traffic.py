# SPDX-License-Identifier: MIT
"""A steady, small stream of real HTTP requests to the sample app, of all the kinds it knows."""

from __future__ import annotations

import http.client
import json
import random
import threading
import urllib.error
import urllib.request
from typing import Optional

_QUESTIONS = (
    "Hello, how are you?",
    "Explain what a Unix socket is, in two sentences.",
    "Why does my program wait for the disk?",
    "Write a haiku about append-only logs.",
    "Übersetze ins Deutsche: the log only grows.",
    "Which is faster, and why: one write of a megabyte or a thousand of a kilobyte? " * 8,
)

_MODELS = ("llama-3.2-3b", "llama-3.2-3b", "mistral-7b-instruct", "qwen2.5-14b")

#: Requests that may be under way at once; when the app is slower than the rate, the rest is left out.
_MOST_AT_ONCE = 8


class Traffic:
    """Sends about ``rate`` requests a second to ``base_url`` from threads of its own."""

    def __init__(self, base_url: str, rate: float, rng: Optional[random.Random] = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._rate = rate
        self._rng = rng or random.Random()
        self._stop = threading.Event()
        self._slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._uploads = 0

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Sends no more; requests under way come to their end by themselves."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(self._rng.uniform(0.5, 1.5) / self._rate):
            if self._slots.acquire(blocking=False):
                threading.Thread(target=self._one, args=self._choose(), name="traffic-request", daemon=True).start()

    def _choose(self) -> tuple[str, str, Optional[object]]:
        """Method, path and JSON body of the next request."""
        kind = self._rng.random()
        if kind < 0.25:
            body = {"question": self._rng.choice(_QUESTIONS), "model_name": self._rng.choice(_MODELS)}
            return "POST", "/api/v1/generate", body
        if kind < 0.50:
            messages = [{"role": "user", "content": self._rng.choice(_QUESTIONS)}]
            path = "/v1/chat/completions" if kind < 0.40 else "/api/chat"
            chat = {"model": self._rng.choice(_MODELS), "messages": messages, "stream": self._rng.random() < 0.8}
            return "POST", path, chat
        if kind < 0.70:
            return "GET", "/api/v1/health", None
        if kind < 0.85:
            return "GET", "/api/v1/models", None
        if kind < 0.90:
            self._uploads += 1
            name = f"new-model-{self._uploads % 5}.gguf"
            return "POST", "/api/v1/models/upload", {"filename": name, "file_size": 4294967296}
        if kind < 0.94:
            return "DELETE", f"/api/v1/models/new-model-{self._rng.randrange(5)}.gguf", None
        if kind < 0.97:
            return "GET", "/api/v1/models/nonexistent.gguf", None
        return "POST", "/api/v1/generate", {"model_name": self._rng.choice(_MODELS)}

    def _one(self, method: str, path: str, body: Optional[object]) -> None:
        try:
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(self._base_url + path, data=data, method=method)
            request.add_header("User-Agent", "livelogd-sample-traffic/1")
            if data is not None:
                request.add_header("Content-Type", "application/json")
            with urllib.request.urlopen(request, timeout=10) as answer:
                # Now and then somebody has read enough of a streamed answer.
                answer.read(2000 if self._rng.random() < 0.05 else None)
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            pass  # an answer above 399 is part of the mix, and while the app stops there is nobody to ask
        finally:
            self._slots.release()
