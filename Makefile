# `make` alone lists what there is. Everything works from any folder by `make -C`, and needs Python 3.11 and nothing else.

.DEFAULT_GOAL := help
.PHONY: help up test check fix bench chaos

python := .venv/bin/python
# Tests and `make up` start dozens of processes: each would compile all that it imports, if none kept what it compiled.
unexport PYTHONDONTWRITEBYTECODE
# What production sets, for a check that connects to nothing. The key is nobody's.
production := DATABASE_URL=postgres://x@localhost/x REDIS_URL=redis://localhost BEHIND_PROXY=1 HSTS_SECONDS=31536000 \
	ALLOWED_HOSTS=jobs.example.org DEBUG=0 DEMO=0 \
	SECRET_KEY=of-nobody-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF ENCRYPTION_KEYS=of-nobody-0123456789-abcdefghijkl

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

up: ## the whole service on this machine, in the foreground; Ctrl-C ends it (PORT=8001 make up)
	@.ci/install requirements.txt
	@exec $(python) manage.py up --with-parent

# One part that fails keeps no other from being run. 2 is what pytest says when somebody pressed Ctrl-C.
test: ## all tests: what is quick on two cores, then pages in a browser, then what starts real processes
	@.ci/install requirements-dev.txt
	@.ci/install-browser || true
	@failed=0; \
	part() { $(python) -m pytest "$$@" || { status=$$?; [ $$status -ne 2 ] || exit 2; failed=1; }; }; \
	part -n 2 -m "not e2e and not browser"; \
	part -n 2 -m browser; \
	part -n 3 --dist loadfile --no-loadscope-reorder -m e2e; \
	exit $$failed

check: ## format, lint, who imports whom, pins, types, Django's checks, missing migrations
	@.ci/install requirements-dev.txt
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	PYTHONPATH=.:collections .venv/bin/lint-imports --no-cache
	$(python) -m pip check --disable-pip-version-check
	$(python) -m mypy --strict .
	$(python) manage.py with_servers -- sh -ec '\
		$(python) manage.py check --database default --fail-level WARNING; \
		$(python) manage.py makemigrations --check --dry-run'
	@echo "manage.py check --deploy, as in production"
	@env $(production) $(python) manage.py check --deploy --fail-level WARNING

fix: ## mend by machine what `check` says of format and lint
	@.ci/install requirements-dev.txt
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: ## how fast it is here (WHAT=runs, tick, fairness, memory, pages, javascript, cache, hooks, deliveries, background, collections, patterns or syncs); docs/bench.md says how to read it
	@.ci/install requirements.txt
	@$(python) -m bench $(WHAT) $(OPTIONS)

chaos: ## break it while it works, and count what was lost: 45 seconds, always the same (MINUTES=10, SEED=7)
	@.ci/install requirements.txt
	@$(python) -m chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(OPTIONS)
