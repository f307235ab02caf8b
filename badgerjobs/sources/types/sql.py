"""SQL: one query on a database, whose rows are those of the source."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.handlebars import NOW, TemplateError
from badgerjobs.servers import statements
from badgerjobs.servers.configurations import TLS, TLS_WORDS, ServerConfiguration
from badgerjobs.servers.databases import POSTGRESQL
from badgerjobs.servers.drivers import ENGINES, ODBC, check, lack_of_driver
from badgerjobs.sources.rows.databases import SQLPull, names_in
from badgerjobs.sources.rows.remembering import RememberingConfiguration, own_placeholders
from badgerjobs.sources.templates import FLAT
from badgerjobs.sources.types import Type
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.serializers import OneOfField

LONGEST_QUERY = 100_000
# What a query begins with that gives rows and changes nothing; and what calls a procedure that may give some.
READS = ("SELECT", "WITH", "VALUES", "TABLE")
CALLS: Mapping[str, Sequence[str]] = {"mysql": ("CALL", "SHOW"), "mariadb": ("CALL", "SHOW"), ODBC: ("CALL", "EXEC")}
NO_QUERY = "A query begins with {}, and this with {}."
PORTS: Mapping[str, int] = {POSTGRESQL: 5432, "mysql": 3306, "mariadb": 3306, "oracle": 1521, ODBC: 1433}
NO_DRIVER = "Name the driver, as the operator of this installation calls it."


class SQLConfiguration(ServerConfiguration, RememberingConfiguration):
    """A database, who signs in to it, and the query that is asked."""

    engine = OneOfField(
        ENGINES,
        default=POSTGRESQL,
        help_text="postgresql; or mysql, mariadb, oracle, odbc where the operator installed a driver.",
    )
    port = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=65535,
        help_text="5432 of PostgreSQL, 3306 of MySQL and MariaDB, 1521 of Oracle, 1433 of ODBC unless given.",
    )
    database = serializers.CharField(max_length=200, help_text="The database's name; of Oracle the service's.")
    driver = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="odbc: the driver, as ODBC_DRIVERS names it."
    )
    tls = serializers.ChoiceField(TLS, default="verify", help_text=TLS_WORDS)
    query = serializers.CharField(
        max_length=LONGEST_QUERY,
        trim_whitespace=False,
        help_text="One that reads. {{PRODUCT_ID}} and {{remembered}} are bound as parameters, never put into the text.",
    )
    timeout = serializers.IntegerField(
        default=30,
        min_value=1,
        max_value=3600,
        help_text="Seconds that the database may take for the first rows, and for more of them: 1 to 3600.",
    )

    def validate_query(self, query: str) -> str:
        """Something whose placeholders can be bound."""
        try:
            names = names_in(query)
        except TemplateError as error:
            raise serializers.ValidationError(str(error)) from None
        if dotted := next((name for name in names if "." in name), None):
            raise serializers.ValidationError(FLAT.format(dotted[:60]))
        if not query.strip():
            raise serializers.ValidationError("This field may not be blank.")
        return query

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What each database needs, and has here."""
        engine, driver = attrs["engine"], attrs["driver"] if attrs["engine"] == ODBC else ""
        wrong: dict[str, list[str]] = {}
        if engine == ODBC and not driver:
            wrong["driver"] = [NO_DRIVER]
        elif lack := lack_of_driver(engine, driver, attrs["tls"]):
            wrong["driver" if driver else "engine"] = [lack]
        words = (*READS, *CALLS.get(engine, ()))
        if (word := statements.first_word(attrs["query"])) not in {"", *words}:
            wrong["query"] = [NO_QUERY.format(", ".join(words[:-1]) + f" or {words[-1]}", word[:20])]
        try:
            check(engine, statements.read(attrs["query"]))
        except TemplateError as error:
            wrong["query"] = [str(error)]
        if wrong:
            raise serializers.ValidationError(wrong)
        return {"port": PORTS[engine], **attrs, "driver": driver}


def party(configuration: Mapping[str, Any]) -> Any:
    """Whom a password is sent to, and how well we make sure of it."""
    names = ("engine", "driver", "host", "port", "tls", "certificates")
    return tuple(configuration.get(name) for name in names)


SECRETS = Secrets(fields=("password",), party=party)


def variables(configuration: Mapping[str, Any]) -> list[str]:
    """The names that its placeholders ask for, in order."""
    ours = {NOW, *own_placeholders(configuration)}
    return [name for name in names_in(configuration["query"]) if name not in ours]


SQL = Type(SQLConfiguration, variables, None, None, SECRETS, SQLPull)
