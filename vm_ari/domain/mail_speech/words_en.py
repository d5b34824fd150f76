"""English: "the 12th of March 2026", "14:35", "1234 euros 50"."""

from vm_ari.domain.mail_speech.wording import Notices, Wording

CODE = "en"
_SMALL_WORDS = """
the and is not you we they he she it a an of to with for from this that these those are was
were be been has have had will would can could should please your our my their his her but if
when which who what there here about into than then them as by or dear hello regards thank
thanks tomorrow today attached
"""
WORDING = Wording(
    notices=Notices(
        one_attachment="With one attachment: {names}.",
        attachments="With {count} attachments: {names}.",
        more="and {count} more",
        rest_quoted="The rest quotes an earlier message.",
        only_quoted="This e-mail contains nothing but a quote.",
        quote_left_out="A quote is left out.",
        quote="Quote: {text} End of quote.",
        more_rows="And {count} more rows.",
        cut="The e-mail is longer; the rest is not read aloud.",
        broken="The rest of this e-mail cannot be read aloud.",
        unreadable="This e-mail cannot be read aloud.",
        empty="This e-mail contains no text.",
        encrypted="This e-mail is encrypted.",
        other_script="A part is in a script that cannot be read aloud.",
        unnamed="without a name",
        attached_message="an e-mail",
        perhaps_more="There may be more attachments.",
        page="Page {number}.",
        page_of="Page {number} of {count}.",
        empty_page="There is no readable text on this page.",
        fax_unreadable="This fax cannot be read aloud.",
        fax_broken="No more of this fax can be read aloud.",
    ),
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    day="the {day} of {month} {year}",
    ordinals={
        n: end
        for end, days in (("st", (1, 21, 31)), ("nd", (2, 22)), ("rd", (3, 23)))
        for n in days
    },
    ordinal="th",
    day_first=None,
    clock="{hour}:{minute:02}",
    full_hour="{hour}:00",
    after_clock=r"\ ?h\b",
    decimal=".",
    currencies={
        **dict.fromkeys(("€", "EUR"), ("euro", "euros")),
        **dict.fromkeys(("$", "USD", "US$"), ("dollar", "dollars")),
        **dict.fromkeys(("£", "GBP"), ("pound", "pounds")),
        "CHF": ("Swiss franc", "Swiss francs"),
    },
    signs={
        "&": "and",
        "%": "percent",
        "‰": "per mille",
        "§": "section",
        "°": "degrees",
        "€": "euros",
        "$": "dollars",
        "£": "pounds",
        "=": "equals",
        "×": "times",
        "±": "plus or minus",
        "²": "squared",
        "³": "cubed",
        "½": "one half",
        "¼": "one quarter",
        "¾": "three quarters",
        "@": "at",
        "#": "number",
        "µ": "micro",
    },
    abbreviations={
        "e.g.": "for example",
        "i.e.": "that is",
        "etc.": "et cetera",
        "vs.": "versus",
        "approx.": "approximately",
        "incl.": "including",
        "No.": "number",
        "Mr.": "Mister",
        "Mrs.": "Missis",
        "Dr.": "Doctor",
        "Tel.": "telephone",
        "w/o": "without",
        "FYI": "for your information",
        "ASAP": "as soon as possible",
        "mph": "miles per hour",
        "km/h": "kilometres per hour",
        "m²": "square metres",
        "°C": "degrees Celsius",
        "°F": "degrees Fahrenheit",
    },
    emoji={"🙂😊😀😃😄😁☺": "smile", "❤🧡💙💚": "heart", "👍": "thumbs up", "😉": "wink"},
    dot="dot",
    at="at",
    dash="dash",
    underscore="underscore",
    plus="plus",
    minus="minus",
    to="to",
    link="link to {host}",
    long_code="a long code",
    function_words=frozenset(_SMALL_WORDS.split()),
)
