"""The portal: web pages for users and admins (WEB-01 to WEB-04, UM-02).

How to add a page
-----------------
1. Write ``vm_ari/web/pages/<name>.py``. It holds handlers (``async def show(visit: Visit) ->
   Response``) and one tuple ``PAGES`` of `page.Page`. The package is searched, so there is no list
   to add it to; the navigation, the table of routes and the test of every route × every role
   (tests/web/test_matrix.py) are made from ``PAGES``.
2. Write ``templates/web/pages/<name>.html``, which extends ``base.html`` and fills the block
   ``content``; ``visit.page("<name>.html", title, …)`` renders it. Macros for forms are in
   ``forms.html``.
3. Write the words: ``templates/web/texts/<language>/<name>.toml``. A key ``title`` there is
   ``t("<name>.title")`` in Python and Jinja2, and ``{count}`` in a text is filled by
   ``t(…, count=3)``. The menu shows ``<name>.menu``. A test fails where a language lacks a key.

What the foundation does before a handler runs: the session, the role, whose page it is, the CSRF
token of every change, the size of what is sent, and what the site lets users change
(``Page.feature``). A handler only ever sees a visit that is allowed.

Scopes: an ``OWN`` page belongs to a user. It has two addresses: ``/me/<path>`` for oneself, and
``/users/<user>/<path>`` for those who may act for others; ``visit.owner`` and ``visit.user`` are
whose page it is, ``visit.link("<path>")`` stays with that owner. A ``HOUSE`` page is
``/<path>``, for the role it names. An administrator must only be shown what
``visit.may_act_in(organisation)`` allows. Pages of the house for administrators speak the site's
language, all others the visitor's own.

Files: a form with ``enctype="multipart/form-data"`` brings them in ``visit.form``; a script sends a
raw body with the header ``X-CSRF-Token``, and the handler reads ``visit.request.stream()``. Say
``Page.most_bytes``, and ``Page.patience`` where it takes long.

Look: ``portal.css`` has the parts, and no page has a style of its own. ``h2`` for each section;
``facts`` for names and values, ``panels`` with ``panel`` for things side by side, ``links`` for a
row of links, ``line`` for buttons in a row, ``danger`` for the one that takes something away,
``mark`` for a word that stands out, ``details.filter`` around a search, ``tabs`` for a choice of
lists, ``said`` and ``problems`` for what has happened, and ``empty``, with the next step, where
there is nothing yet. Tables become cards on a narrow screen by themselves (``portal.js``). Every
page is looked at by axe in both languages, colours and widths:
tests/web/test_every_page_in_browser.py.

Rules: everything works without JavaScript (htmx, the attributes ``hx-…``, only improves); nothing
inline, for the content security policy forbids it; no address outside of the portal; after a change
``visit.done("<name>.saved", "<path>")`` redirects, and the next page says that sentence; bad input
gets the same page again with what was typed (`fields.Form`). What a page needs from the rest of
the program is a field of `parts.Parts`.
"""
