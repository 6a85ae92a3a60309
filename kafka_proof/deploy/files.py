"""Configuration files as text."""


def to_properties(settings):
    """Render a dictionary as a .properties file, sorted, so that the same settings give the same text.

    True and False become Kafka's `true` and `false`; a setting that is None is left out. Only what must be is escaped
    (javaproperties would write `localhost\\:9092`), because kcat reads the same files and knows no escapes.
    """
    return "".join(f"{key}={_text(settings[key])}\n" for key in sorted(settings) if settings[key] is not None)


def _text(value):
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip().replace("\\", "\\\\").replace("\n", "\\n")
