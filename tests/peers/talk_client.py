"""A gRPC client of grpcio: does one thing with the server of talk_server.py, and says how it went.

The first argument says what, TALK_URL where the server is.
"""

import os
import sys
import threading
from urllib.parse import urlsplit

import grpc

words, services = grpc.protos_and_services("talk.proto")
Words = words.Words
FIVE = [Words(text=text) for text in ("ab", "cd", "ef", "gh", "ij")]


def unary(talk):
    return talk.Say(Words(text="hello")).text


def fail(talk):
    return talk.Say(Words(fail_with=int(sys.argv[2]))).text


def server_stream(talk):
    return " ".join(answer.text for answer in talk.Repeat(Words(text="again", times=5)))


def server_stream_that_fails(talk):
    texts = []
    try:
        for answer in talk.Repeat(Words(text="again", times=3, fail_with=13)):
            texts.append(answer.text)
    except grpc.RpcError as error:
        return f"{len(texts)} then {error.code().name}"


def client_stream(talk):
    return talk.Collect(iter(FIVE)).text


def chat(talk):
    """Says the next words only when the last ones have come back: nothing may be held on the way."""
    answered = threading.Semaphore(1)

    def say():
        for one in FIVE:
            answered.acquire()
            yield one

    texts = []
    for answer in talk.Chat(say()):
        texts.append(answer.text)
        answered.release()
    return " ".join(texts)


def chat_at_length(talk):
    """Many messages both ways at once, of all sizes."""
    sent = [f"{number} " + "x" * (number * 37 % 5000) for number in range(5000)]
    received = [answer.text for answer in talk.Chat(Words(text=text) for text in sent)]
    return f"{len(received)} in order" if received == sent else f"{len(received)} and not what was sent"


def say_and_wait(text, done):
    """The words of a chat that stays open from this side until it is over."""
    yield Words(text="hello")
    yield Words(text=text)
    done.wait()


def chat_to_the_end(talk, text, **options):
    """What is answered in a chat that the other side ends, and how it ends."""
    done = threading.Event()
    call, texts = talk.Chat(say_and_wait(text, done), **options), []
    try:
        for answer in call:
            texts.append(answer.text)
    except grpc.RpcError as error:
        texts.append(error.code().name)
    done.set()
    return " then ".join(texts)


def server_cancels_the_chat(talk):
    return chat_to_the_end(talk, "cancel")


def deadline_of_the_chat(talk):
    """As `deadline`, in the middle of a stream."""
    list(talk.Repeat(Words(text="first", times=1)))
    return chat_to_the_end(talk, "wait", timeout=3)


def cancel_the_chat(talk):
    """Gives up in the middle of a stream, when the server has said so to the test."""
    done = threading.Event()
    call = talk.Chat(say_and_wait("wait", done))
    text = next(call).text
    sys.stdin.readline()
    call.cancel()
    done.set()
    return f"{text} then {call.code().name}"


def cancel(talk):
    """Gives up when the server has begun, which the test tells by a line."""
    call = talk.Say.future(Words(text="wait"))
    sys.stdin.readline()
    call.cancel()
    return "cancelled" if call.cancelled() else "not cancelled"


def deadline(talk):
    """Lets a deadline pass while the server waits: long enough to get there on a busy machine, over connections
    that are there already."""
    list(talk.Repeat(Words(text="first", times=1)))
    return talk.Say(Words(text="wait"), timeout=3).text


url = urlsplit(os.environ["TALK_URL"])
with grpc.insecure_channel(url.netloc) as channel:
    try:
        print(globals()[sys.argv[1]](services.TalkStub(channel)), flush=True)
    except grpc.RpcError as error:
        print(error.code().name, flush=True)
