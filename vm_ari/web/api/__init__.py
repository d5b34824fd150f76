"""The JSON API under ``/api/v1``: the pages' services and rights, for programs (WEB-01, WEB-02).

How to add an operation
-----------------------
Write a handler (``async def show(ask: Ask) -> Answer``) and an `operation.Operation` for it into a
module of ``vm_ari/web/api/operations``, in its tuple ``OPERATIONS``. The package is searched: the
routes, the published description (``openapi.json``, the page ``/api``) and the tests of every
operation × every role and against hostile input are made from these tuples.

An ``OWN`` operation belongs to a user and has two addresses, as an own page has: ``/me/<path>``,
and ``/admin/users/{user}/<path>`` for those who may act for others. A ``HOUSE`` operation is
``/admin/<path>``.

Before a handler runs, the door (`door.ApiDoor`) has asked: whose token it is, whether its owner is
still there, what role is left of the owner's by the token's scope, whose data it is about, whether
the site lets users change that, and whether what was sent has the form of the models. A handler
gets an `operation.Ask`, whose ``visit`` is that of a page: what pages share works here, too. It
answers with a model, with a `Response`, or raises `problems.Problem`.

Rules: all texts from outside have a longest length and no control characters (`models.Line`);
lists are pages with a keyset cursor (``after``, ``next``); an answer never names anybody for whom
the visitor may not act; what can be lost by two who change it at once has an ETag (``state``).
"""
