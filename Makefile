# make demo            a complete installation on this machine, and a call through it
# make demo KEEP=1     the same, and it stays up for your own softphone (DIR=, SIP_PORT=, HTTP_PORT=)
# make demo STACK=ldap,imap   users on a directory server, mailboxes on a mail server
# make test            everything that is tested, on real servers; JOBS=n runs n at a time
# make fast            pure logic and dialogues only: seconds
# make bench           every benchmark once, quickly: does it work?  FULL=1: the figures (NAMES="soak keys")
# make nodes MINUTES=20 SEED=7     two nodes behind Kamailio, and everything dies (docs/scale.md)
# make torture MINUTES=20 SEED=7   everything is killed while people call (docs/torture.md)
# make walk DAYS=365 SEED=7        random calls through every menu on the virtual clock
# make docs            the documentation as a site: build/docs/index.html
# make features        write docs/features.md anew (runs all tests)
VENV ?= .venv
JOBS ?= 6
PYTEST = $(VENV)/bin/pytest
# where this is set, each of some thousand processes would compile everything for itself
export PYTHONDONTWRITEBYTECODE =
DEMO_OPTIONS = $(if $(KEEP),--keep) $(if $(DIR),--dir $(DIR)) \
	$(if $(SIP_PORT),--sip-port $(SIP_PORT)) $(if $(HTTP_PORT),--http-port $(HTTP_PORT)) \
	$(if $(STACK),--stack $(STACK))
DEMO_SERVERS = $(if $(findstring ldap,$(STACK)),slapd ldap-utils) \
	$(if $(findstring imap,$(STACK)),dovecot-imapd)

.PHONY: demo test fast lint docs bench torture nodes walk features clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo$(STACK)
	@$(VENV)/bin/vm-ari demo $(DEMO_OPTIONS)

# beside the linters the tests' byte code is made: once, not by each worker for itself
test: $(VENV)/.test
	@$(PYTEST) -q --collect-only >/dev/null 2>&1 & \
	$(MAKE) --no-print-directory lint; status=$$?; wait; exit $$status
	$(PYTEST) -n $(JOBS) --dist loadgroup --features check

fast: $(VENV)/.test
	$(PYTEST) tests/domain tests/speech tests/telephony tests/dialogues tests/docs

lint: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(VENV)/.bench
	@$(VENV)/bin/python -m bench $(if $(FULL),,--quick) $(NAMES)

torture: $(VENV)/.test
	@$(VENV)/bin/python -m tests.torture $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

nodes: $(VENV)/.test
	@$(VENV)/bin/python -m tests.system.nodes $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

docs: $(VENV)/.docs
	$(VENV)/bin/sphinx-build -q -W --keep-going docs build/docs

walk: $(VENV)/.test
	@$(VENV)/bin/python -m tests.dialogues.walker $(if $(DAYS),--days $(DAYS)) $(if $(SEED),--seed $(SEED))

features: $(VENV)/.test
	$(PYTEST) -n $(JOBS) --dist loadgroup --features write

$(VENV)/.demo$(STACK): setup.cfg setup.py pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(VENV) "" $(DEMO_SERVERS)
	@touch $@

$(VENV)/.test: setup.cfg setup.py pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(VENV) dev strace libfaketime slapd ldap-utils dovecot-imapd postgresql espeak-ng ffmpeg \
		tesseract-ocr tesseract-ocr-deu tesseract-ocr-eng tesseract-ocr-fra chromium fail2ban logrotate systemd fish zsh kamailio
	@touch $@

$(VENV)/.docs: setup.cfg setup.py pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(VENV) docs
	@touch $@

$(VENV)/.bench: setup.cfg setup.py pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(VENV) dev,bench,speech sip-tester tcpdump slapd ldap-utils dovecot-imapd \
		postgresql espeak-ng libldap-dev libsasl2-dev gcc python3-dev
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
