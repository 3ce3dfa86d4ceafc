"""The environment variables of the stack, its commands and its agent: meaning and default.

Defaults come from `.env`, valid values from `env_settings`; a test compares the names with those
that the code reads.
"""

from __future__ import annotations

from typing import NamedTuple

from lokikit.stack.grafana.contacts import REPEAT


class KitVariable(NamedTuple):
    """One variable, or several with one meaning.

    Args:
        names: of the variables.
        meaning: what they set.
        without: how the page describes the default; empty for that of `.env`.
    """

    names: tuple[str, ...]
    meaning: str
    without: str = ""


OF_THE_STACK = (
    KitVariable(
        ("LOKIKIT_STATE",),
        "folder for data, logs and positions of `lokikit up`",
        "`.lokikit/` in a checkout, else the user's state folder",
    ),
    KitVariable(
        ("LOKIKIT_KIT",),
        "a folder that `lokikit init` made, whose files `up` uses",
        "those of the working folder if it is such a folder, else of the checkout or the package",
    ),
    KitVariable(("DEMO",), "`off` leaves the demo out", "on"),
    KitVariable(
        ("RUNTIME",),
        "`docker`, `native`, or `auto`: Docker where its daemon answers and the images can be had",
        "`auto`",
    ),
    KitVariable(
        ("STORE",),
        "of the native runtime: `loki` (the one on PATH, from 3.4 on), `embedded`, or `auto`: Loki "
        "where it is on PATH, unless the embedded store has the lines so far",
        "`auto`",
    ),
    KitVariable(
        ("AGENT",),
        "of the native runtime: `fluent-bit`, `ship`, or `auto`: Fluent Bit 5 where it is on PATH",
        "`auto`",
    ),
    KitVariable(
        ("PAGE_PASSWORD",),
        "what `lokikit page` asks its readers for",
        "no password, and the page is served on 127.0.0.1 alone",
    ),
    KitVariable(
        ("LOKI_PORT", "LOKI_GRPC_PORT", "GRAFANA_PORT", "PAGE_PORT", "DEMO_PORT"),
        "ports, all on 127.0.0.1",
    ),
    KitVariable(
        ("FLUENTBIT_FORWARD_PORT", "FLUENTBIT_HTTP_PORT", "FLUENTBIT_ADMIN_PORT"),
        "ports of the agent: Docker's logging driver, `POST /logs`, health and metrics",
    ),
    KitVariable(
        ("FLUENTBIT_STORAGE_LIMIT",),
        "how much the agent keeps on disk while Loki is away; then it drops the oldest, counted",
    ),
    KitVariable(
        ("LOKI_RETENTION",),
        "how long a line is kept, by Loki and by the embedded store; an older line is deleted, and "
        "refused when it comes",
    ),
    KitVariable(
        (
            *("LOKI_VERSION", "FLUENTBIT_VERSION", "GRAFANA_VERSION", "PYTHON_VERSION"),
            "LOKIKIT_VERSION",
        ),
        "versions of the images",
    ),
    KitVariable(("REGISTRY",), "where images are pulled from; a private mirror is this one line"),
    KitVariable(
        ("COMPOSE_OVERLAYS",),
        "with Docker: files to add, those of `deploy/compose/` by name (`container-files`, "
        "`remote-loki`), others by path",
        "none",
    ),
    KitVariable(
        ("LOKI_MEMORY", "FLUENTBIT_MEMORY", "GRAFANA_MEMORY"),
        "with Docker: how much memory each container may have",
    ),
)
OF_ALERTS = (
    KitVariable(
        ("ALERT_MAIL_TO",),
        "addresses that get mails, separated by commas; needs `ALERT_SMTP_HOST`",
        "no mail",
    ),
    KitVariable(("ALERT_SMTP_HOST",), "the mail server as `host:port`", "no mail"),
    KitVariable(
        ("ALERT_SMTP_FROM",), "sender of the mails", "the first address of `ALERT_MAIL_TO`"
    ),
    KitVariable(("ALERT_SMTP_USER", "ALERT_SMTP_PASSWORD"), "login at the mail server", "no login"),
    KitVariable(
        ("ALERT_WEBHOOK_URL",), "gets JSON by POST, in the form of Grafana's webhook", "no webhook"
    ),
    KitVariable(("ALERT_SLACK_URL",), "an incoming webhook of Slack", "no Slack"),
    KitVariable(
        ("ALERT_URLS",),
        "addresses of [apprise](https://appriseit.com/services/), separated by spaces: Teams, "
        "Telegram, ntfy, Matrix and a hundred more; for `lokikit alerts`, not for Grafana",
        "none",
    ),
    KitVariable(
        ("ALERT_REPEAT",),
        "how long after a message it comes again while the alert fires on; `1m` or more",
        f"`{REPEAT}`",
    ),
    KitVariable(
        ("ALERT_PAGE_URL",),
        "where the links in messages of `lokikit alerts` lead, for readers on other machines",
        "`http://127.0.0.1:` and `PAGE_PORT`",
    ),
)
OF_SPLIT_FILES = (
    KitVariable(
        ("FLUENTBIT_SPLIT_DIR",), "folder of the split files; the switch", "no split files"
    ),
    KitVariable(
        ("FLUENTBIT_SPLIT_RULES",), "a table of rules of your own", "`fluentbit/split.conf`"
    ),
)
OF_THE_AGENT = (
    KitVariable(
        ("LOKI_HOST", "LOKI_TENANT", "LOKI_USER", "LOKI_PASSWORD", "LOKI_BEARER_TOKEN"),
        "Loki's host (its port is `LOKI_PORT`), tenant and credentials",
        "`127.0.0.1`, none",
    ),
    KitVariable(
        ("LOKI_TENANT_KEY",),
        "on a cluster: `$namespace` makes each namespace a tenant",
        "one tenant",
    ),
    KitVariable(
        ("LOKI_TLS", "LOKI_TLS_VERIFY", "LOKI_CA_FILE"),
        "`on` for TLS; `off` trusts any server; certificates to trust",
        "`off`, `on`, those of the system; `lokikit up` takes `REQUESTS_CA_BUNDLE`",
    ),
    KitVariable(
        ("LOKI_CERT_FILE", "LOKI_KEY_FILE"),
        "the certificate that the agent shows a Loki that asks for one, and its key",
        "none",
    ),
    KitVariable(("LOKI_PATH",), "a path before Loki's own, such as `/logs`", "none"),
    KitVariable(
        ("FLUENTBIT_STORAGE",),
        "the agent's own folder: lines that wait, dead letters, positions",
        "must be set",
    ),
    KitVariable(("FLUENTBIT_FILES",), "the files to follow, a glob", "must be set"),
    KitVariable(
        ("FLUENTBIT_CONTAINERS",),
        "the folder of container files, where they are followed",
        "that of Docker; on a cluster `/var/log/pods`",
    ),
    KitVariable(
        ("FLUENTBIT_HTTP_RETRIES",),
        "how often the agent tries to send a line that came over `POST /logs`, at most 30 s apart; "
        "then the line is a dead letter",
        "5760, about a day",
    ),
    KitVariable(
        ("KUBE_URL", "KUBE_TOKEN_FILE", "KUBE_CA_FILE"),
        "the API server that names pods, the token for it, its certificate",
        "`https://kubernetes.default.svc`, "
        "`/var/run/secrets/kubernetes.io/serviceaccount/token`, "
        "`/var/run/secrets/kubernetes.io/serviceaccount/ca.crt`",
    ),
    KitVariable(
        ("NAMESPACE",),
        "of the agent, on a cluster: the label `namespace` of the lines that are posted to it",
        "`default`",
    ),
    KitVariable(
        ("POD_NAME",),
        "of the agent, on a cluster: the `pod` of the numbered lines that it writes itself",
        "`agent`",
    ),
    KitVariable(
        ("FLUENTBIT_BIND",), "the address that the agent listens on", "`0.0.0.0`: all of them"
    ),
    KitVariable(
        ("HOSTNAME",),
        "the `host` of the agent's lines; on Kubernetes the name of the node",
        "`unknown`; `lokikit up` sets the machine's name",
    ),
)
