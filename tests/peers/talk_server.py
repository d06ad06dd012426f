"""A gRPC server of grpcio, with a method of each kind. It knows nothing of the mesh."""

import os
import threading
from concurrent import futures

import grpc

words, services = grpc.protos_and_services("talk.proto")
STATUS = {code.value[0]: code for code in grpc.StatusCode}


def say_where(what):
    print(what, flush=True)


def wait_until_given_up(context):
    given_up = threading.Event()
    context.add_callback(given_up.set)
    say_where("waiting")
    given_up.wait()
    say_where("given up")


class Talk(services.TalkServicer):
    def Say(self, request, context):
        if request.fail_with:
            context.abort(STATUS[request.fail_with], "as you wish")
        if request.text == "wait":
            wait_until_given_up(context)
        return request

    def Repeat(self, request, context):
        for _ in range(request.times):
            yield words.Words(text=request.text)
        if request.fail_with:
            context.abort(STATUS[request.fail_with], "as you wish")

    def Collect(self, requests, context):
        return words.Words(text=" ".join(request.text for request in requests))

    def Chat(self, requests, context):
        for request in requests:
            match request.text:
                case "wait":
                    wait_until_given_up(context)
                    return
                case "cancel":
                    context.cancel()
                    return
            yield request


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=[("grpc.so_reuseport", 0)])
services.add_TalkServicer_to_server(Talk(), server)
address = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ['PORT']}"
server.add_insecure_port(address)
server.start()
say_where(f"Running on {address}")
server.wait_for_termination()
