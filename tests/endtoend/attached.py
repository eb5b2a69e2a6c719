"""How an MTA and vaglio are attached to each other: sockets, timeouts,
listeners."""

import signal

from private import Failure, Visitor
from scenes import SIMPLE, fields, scene


def one_message(stage):
    stage.vaglio.start()
    with stage.client() as client:
        stage.delivered([stage.send(client, "hello")])
    if fields(stage.door.sink.wait(1)[0], "X-Seen") != ["yes"]:
        raise Failure("it was not filtered")


@scene(SIMPLE, socket="inet:%d@127.0.0.1")
def on_a_port(stage):
    one_message(stage)


@scene(SIMPLE, socket="inet6:%d@::1")
def on_a_port_of_ipv6(stage):
    one_message(stage)


@scene(SIMPLE, postfix=("milter_command_timeout = 3s",),
       sendmail=("T=C:3s;S:3s;R:3s;E:3s",))
def frozen_in_a_session(stage):
    """The MTA's patience ends; the next session is served again."""
    stage.vaglio.start()
    with stage.client() as client:
        stage.reply_is(client.say("MAIL FROM:<a@example.org>"), "250 .*")
        stage.vaglio.freeze()
        try:
            stage.reply_is(client.say("RCPT TO:<u@example.com>"),
                           "451 4[.]7[.]1 .*")
        finally:
            stage.vaglio.signal(signal.SIGCONT)
    with stage.client() as client:
        stage.delivered([stage.send(client, "after")])
    if [fields(m, "X-Seen") for m in stage.door.sink.wait(1)] != [["yes"]]:
        raise Failure("what arrived is not the second message alone")


@scene("""
rule mark
  add header "X-Daemon" "${daemon} ${auth}"
""", sendmail=("policies.mc",),
       why_not={"postfix": "case submission: a door is one of its services"})
def two_listeners(stage):
    """Port 25 and submission each have two filters, here the same twice."""
    stage.vaglio.start()
    with stage.client(Visitor("198.51.100.30")) as client:
        stage.delivered([stage.send(client, "from outside")])
    client, _ = stage.mta.connect(stage.door, None, 587)
    with client:
        client.say("EHLO client.example.org")
        stage.reply_is(client.say("MAIL FROM:<a@example.org>"),
                       "530 5[.]7[.]0 Authentication required")
    client, _ = stage.mta.connect(
        stage.door, Visitor("198.51.100.31", None, "alice"), 587)
    with client:
        stage.delivered([stage.send(client, "from alice")])
    marks = [fields(m, "X-Daemon") for m in stage.door.sink.wait(2)]
    if marks != [["MTA"] * 2, ["ORIGINATING alice"] * 2]:
        raise Failure("the marks are %r" % marks)
