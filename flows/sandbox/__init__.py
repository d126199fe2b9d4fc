"""The offline Ideogram API: real routes, real money rules, real pictures, nothing leaves the machine.

It imitates, from the public documentation, the routes that ideoflow uses: ``POST /v2/image/generate/{model}``
for the v2 models of the catalogue (with ``async`` and ``?dry_run=true``), ``GET /v2/generations/{id}``,
``POST /v1/ideogram-v3/generate``, the legacy ``POST /generate``, and the image host behind signed links.
Keys, validation, exclusions, the in-flight
limit counted in images, latency, magic prompt, safety, billing and expiring links behave as documented.
``GET /sandbox/ledger`` is the oracle of every money test: what ran, and what it cost.

Words in a prompt that decide (for tests and for trying things out):

- ``unsafe-prompt``: the prompt fails the safety check: 422, nothing runs, nothing is billed.
- ``withheld-image``: the first image is withheld: ``is_image_safe`` false, no link, billed all the same.
- ``fails-policy``: the job runs and fails with ``content_policy_violation``; it is not billed.
- ``fails-badly``: the job runs and fails with ``internal_error``; it is not billed.

Job state lives in SQLite in the state directory. A job is one row, written before anything is answered, with
the instant at which it will be done; so several server processes share a directory, a killed one loses
nothing, and work whose client has vanished is done and billed all the same.

What shall go wrong can be scripted (`flows.sandbox.faults`), when the sandbox is made or at
``PUT /sandbox/faults``; ``GET /sandbox/stats`` counts what a client did, and ``GET /sandbox/health`` answers.

What it does NOT imitate:

- pictures by a diffusion model: they are composed scenes, marked SANDBOX, that follow the words loosely;
- input images in any form (multipart, masks, style and character references, remix, edit, upscale,
  describe), custom models, collections and assets, ``very_low`` quality and ``size: source``;
- the other v1 routes and multipart bodies (the v1 route here takes JSON), video, tools, account usage,
  invoices, key management;
- webhooks: ``webhook_url`` makes a job asynchronous and is otherwise ignored;
- balances and subscriptions (402 is a fault to be scripted), daily limits, the poll rate limit of
  1,000 per 10 s (429 on a poll is a fault to be scripted);
- a real safety review: only the marker words above are refused, and copyright detection finds nothing;
- plan-dependent visibility: ``private`` is accepted and changes nothing;
- how long a generation id stays readable (here: as long as the state directory), and whether a later poll
  signs an expired link anew (undocumented; here it does not, unless ``renew_links`` is set);
- the answer to a client that waits while its job fails (undocumented; here v2 says ``failed`` as a poll
  would, legacy answers 422 or 500), and which of the two error bodies belongs to which mistake;
- TLS, HTTP/2, compression, ranges and caching on the image host, and its rules against scripts beyond
  refusing urllib's agent;
- what ``auto`` chooses for sizes and ratios (here: square; without a quality ideogram-4-6 takes high), and
  prices that nobody publishes (`flows.sandbox.prices` says which are made up).
"""
