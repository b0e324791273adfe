"""Hold the closed vocabularies of the record, each term with its definition and crosswalk.

A `Vocabulary` is a mapping from id to `Term`, so `"clash" in EVENT_TYPES` is membership and
iterating gives the ids in codebook order. Crosswalks name the nearest counterpart in ACLED, PLOVER
and UCDP GED; a counterpart whose `code` is None says that there is none. They lead from this
project outwards only: nothing here lets a foreign code be read back without a curator.

Sources of the foreign codes: ACLED's codebook (event_type, sub_event_type, geo_precision,
time_precision), the PLOVER ontology (event, mode), the UCDP GED codebook (where_prec, date_prec).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Counterpart:
    """Name the nearest foreign code; `code` None means that the scheme has no counterpart.

    `detail` is the second level of the scheme (ACLED's sub_event_type, PLOVER's mode) and is None
    where the scheme has one level or the first level alone can be claimed.
    """

    code: str | None
    detail: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """Define one allowed value: `id` is stored, `label` is shown, `definition` decides cases."""

    id: str
    label: str
    definition: str
    crosswalk: Mapping[str, Counterpart] = field(default_factory=dict)


class Vocabulary(dict[str, Term]):
    """The terms of a closed vocabulary by their ids, in the order of the codebook."""

    def __init__(self, name: str, description: str, *terms: Term) -> None:
        super().__init__({term.id: term for term in terms})
        self.name = name
        self.description = description
        if len(self) != len(terms):
            raise ValueError(f"The vocabulary {name} defines an id twice.")


CROSSWALK_SCHEMES: Mapping[str, str] = MappingProxyType(
    {
        "acled": (
            "Armed Conflict Location & Event Data (ACLED): event_type and sub_event_type, "
            "geo_precision, time_precision."
        ),
        "plover": "PLOVER event ontology: event and mode.",
        "ucdp": "UCDP Georeferenced Event Dataset (GED): where_prec and date_prec.",
    }
)


def _event(id_: str, label: str, definition: str, acled: Counterpart, plover: Counterpart) -> Term:
    return Term(id_, label, definition, {"acled": acled, "plover": plover})


EVENT_TYPES = Vocabulary(
    "type",
    "What happened, judged by the gravest act that a source reports: violence goes before "
    "assembly, and assembly before words. A march that ends in fighting is a clash; the claims "
    "and the summary keep how it began.",
    _event(
        "clash",
        "Clash",
        "Physical fighting in which two or more sides took part: crowds of different communities, "
        "or a community's crowd and others, the police included. Brawls, scuffles and fistfights "
        "are clashes. The type does not say who began.",
        Counterpart(
            "Riots",
            "Mob violence",
            "'Violent demonstration' where the fighting grew out of a demonstration.",
        ),
        Counterpart("PROTEST", "riot"),
    ),
    _event(
        "assault",
        "Assault",
        "A physical attack on one or more persons who are not reported to have fought as a side.",
        Counterpart(
            "Violence against civilians",
            "Attack",
            "Where an organised armed group attacked; 'Riots', 'Mob violence' where a crowd did.",
        ),
        Counterpart("ASSAULT", "beat", "Mode only where persons were beaten."),
    ),
    _event(
        "protest",
        "Protest",
        "A public assembly or march directed against a government, an institution or another "
        "party, or putting a demand to it, with no violence reported.",
        Counterpart(
            "Protests",
            "Peaceful protest",
            "'Protest with intervention' where the police dispersed or arrested.",
        ),
        Counterpart("PROTEST", "demo"),
    ),
    _event(
        "counter_protest",
        "Counter-protest",
        "A public assembly held in answer to another one at about the same place and time, when "
        "it is recorded on its own. Where one record covers both, the second community has the "
        "role counter_participant instead.",
        Counterpart("Protests", "Peaceful protest", "No code of its own."),
        Counterpart("PROTEST", "demo", "No mode of its own."),
    ),
    _event(
        "rally",
        "Rally",
        "A public assembly or march in support of a cause, a people or a government that puts no "
        "demand to an opponent, with no violence reported.",
        Counterpart("Protests", "Peaceful protest"),
        Counterpart("PROTEST", "demo"),
    ),
    _event(
        "gathering",
        "Gathering",
        "People of a community coming together in public without a demand, a display of support "
        "or violence being reported: to get information, to give help, to meet an official.",
        Counterpart(None, note="Only assemblies with a political message are recorded."),
        Counterpart(None),
    ),
    _event(
        "blockade",
        "Blockade",
        "Obstruction of a road, an entrance or a border crossing as the main act, with no "
        "violence against persons reported.",
        Counterpart("Protests", "Peaceful protest", "No code of its own."),
        Counterpart("PROTEST", "obstruct"),
    ),
    _event(
        "property_attack",
        "Attack on property",
        "Deliberate damage to buildings, vehicles, monuments, graves or goods, with no violence "
        "against persons reported.",
        Counterpart(
            "Strategic developments",
            "Looting/property destruction",
            "'Riots', 'Mob violence' or 'Violent demonstration' where a crowd did the damage.",
        ),
        Counterpart("ASSAULT", "destroy"),
    ),
    _event(
        "threat",
        "Threat",
        "A threat of violence or of other serious harm against a community, its members or its "
        "institutions, made in words or signs and not carried out in the same event.",
        Counterpart(None),
        Counterpart("THREATEN", "violence", "Mode only where violence was threatened."),
    ),
    _event(
        "dispute",
        "Dispute",
        "A quarrel between communities or their organisations carried on in public by statements, "
        "accusations or legal steps.",
        Counterpart(None),
        Counterpart("ACCUSE", "disapprove"),
    ),
    _event(
        "mobilisation",
        "Mobilisation",
        "A call, list or drive held abroad by which a community raises volunteers for an armed "
        "conflict. Mobilisation by a state inside the zone of the conflict is context.",
        Counterpart(
            "Strategic developments",
            "Change to group/activity",
            "Nearest code; it is meant for armed groups.",
        ),
        Counterpart("MOBILIZE", note="Its modes describe state forces; none is claimed."),
    ),
    _event(
        "vigil",
        "Vigil",
        "A public act of mourning or remembrance.",
        Counterpart("Protests", "Peaceful protest", "Only where it carries a political message."),
        Counterpart(None),
    ),
    _event(
        "other",
        "Other",
        "An incident that meets the inclusion rule and fits no other type; the summary says what "
        "it was.",
        Counterpart(None),
        Counterpart(None),
    ),
)

ROLES = Vocabulary(
    "role",
    "The part a community had in an incident. A role describes presence, never guilt.",
    Term(
        "organiser",
        "Organiser",
        "The community, or an organisation of it, is reported to have called or led the event; it "
        "also took part unless the summary says otherwise.",
    ),
    Term(
        "participant",
        "Participant",
        "Members took part and are not reported to have organised the event or answered it. In a "
        "clash whose beginning is disputed or not reported every side is a participant.",
    ),
    Term(
        "counter_participant",
        "Counter-participant",
        "Members took part in answer to, or against, the event of others.",
    ),
    Term(
        "target",
        "Target",
        "The event was directed at members, property or institutions of the community, which is "
        "not reported to have taken part. A state's embassy or consulate is not a community's.",
    ),
)

STATUSES = Vocabulary(
    "status",
    "Where a record stands in curation.",
    Term("draft", "Draft", "Awaits review; seen by its author and by editors alone."),
    Term("published", "Published", "Part of the public data set."),
    Term("withdrawn", "Withdrawn", "Taken back; the address answers with a code and a date."),
)

GEO_PRECISIONS = Vocabulary(
    "geo_precision",
    "What the coordinates stand for. Coordinates never appear without it.",
    Term(
        "exact",
        "Exact place",
        "The coordinates are the spot itself, as given by a source or surveyed from its "
        "description.",
        {"ucdp": Counterpart("1"), "acled": Counterpart("1")},
    ),
    Term(
        "venue",
        "Venue",
        "The coordinates are those of the named public building, square or street.",
        {"ucdp": Counterpart("1"), "acled": Counterpart("1")},
    ),
    Term(
        "city",
        "City",
        "The coordinates are a point that stands for the whole town; the event may have happened "
        "anywhere in it.",
        {
            "ucdp": Counterpart("1", note="A named town counts as a known place; 2 if only near."),
            "acled": Counterpart("1", note="A named town counts as exact; 2 if only near."),
        },
    ),
    Term(
        "admin1",
        "First-level division",
        "The coordinates stand for a state, province or region.",
        {"ucdp": Counterpart("4"), "acled": Counterpart("3")},
    ),
    Term(
        "country",
        "Country",
        "The coordinates stand for a whole country.",
        {"ucdp": Counterpart("6"), "acled": Counterpart(None)},
    ),
)
# Of a spot itself, and of a division or a country that has no point of its own.
EXACT, REGIONS = ("exact", "venue"), ("admin1", "country")

DATE_PRECISIONS = Vocabulary(
    "date_precision",
    "What the date says. An interval lasted through all its days; a range, a month and a year "
    "name days of which one, unknown, is meant.",
    Term(
        "day",
        "Day",
        "The day is known.",
        {"ucdp": Counterpart("1"), "acled": Counterpart("1")},
    ),
    Term(
        "interval",
        "Interval",
        "It lasted from the first day to the last, both known.",
        {
            "ucdp": Counterpart(
                None, note="date_start and date_end hold both; date_prec measures doubt only."
            ),
            "acled": Counterpart(None, note="Events of several days are recorded day by day."),
        },
    ),
    Term(
        "range",
        "Range",
        "It happened once, on some day of the range; an end that is not known is open.",
        {
            "ucdp": Counterpart(
                "2–5",
                note="By width: 2 for two to six days, 3 for a week, 4 for up to a month, 5 for "
                "up to a year; none where an end is open.",
            ),
            "acled": Counterpart(
                "2–3", note="By width: 2 for about a week, 3 for up to a month; none beyond."
            ),
        },
    ),
    Term(
        "month",
        "Month",
        "It happened on some day of the month.",
        {"ucdp": Counterpart("4"), "acled": Counterpart("3")},
    ),
    Term(
        "year",
        "Year",
        "It happened on some day of the year.",
        {"ucdp": Counterpart("5"), "acled": Counterpart(None)},
    ),
)

POLICE_MEASURES = Vocabulary(
    "police_measures",
    "What police or other forces of order are reported to have used or done. A measure that is "
    "not listed was not reported, which is not the same as not used.",
    Term("water_cannon", "Water cannon", "Water under pressure used against people."),
    Term("tear_gas", "Tear gas", "Tear gas used against people."),
    Term("pepper_spray", "Pepper spray", "Pepper spray used against people."),
    Term("baton", "Batons", "Batons or truncheons used against people."),
    Term(
        "riot_police",
        "Riot police",
        "Public-order or special police units sent to the place, whether or not they used force.",
    ),
    Term(
        "national_guard",
        "National guard",
        "A national guard, gendarmerie or military unit sent to the place.",
    ),
    Term("cordon", "Cordon", "People kept apart, enclosed or kept out by a line of officers."),
    Term("dispersal", "Dispersal", "A crowd ordered or driven away."),
    Term("detention", "Detention", "Persons detained or arrested, with or without a number."),
    Term("other", "Other", "A measure that no other term covers; the summary names it."),
)

WITHDRAWAL_CODES = Vocabulary(
    "withdrawal_code",
    "Why a record was withdrawn, as the public may read it.",
    Term("error", "Error", "The record was wrong, or not supported by its sources."),
    Term("duplicate", "Duplicate", "Another record holds the same incident."),
    Term("out_of_scope", "Out of scope", "The incident does not meet the inclusion rule."),
    Term("safety", "Safety", "Showing the record could put people in danger."),
    Term("legal", "Legal", "A legal duty requires it."),
)

FEED_ACTIONS = Vocabulary(
    "action",
    "What an entry of the change feed reports.",
    Term("created", "Created", "A record was published for the first time."),
    Term("changed", "Changed", "A published record has a new version."),
    Term("withdrawn", "Withdrawn", "A record was withdrawn; drop its content."),
    Term("merged", "Merged", "A record went into another one; follow the address."),
    Term("restored", "Restored", "A withdrawal or merge was undone."),
    Term("erased", "Erased", "Content was erased; purge every copy of it, old versions too."),
    Term("vocabulary", "Vocabulary", "A community or an episode was added, changed or removed."),
)

KEY_ROLES = Vocabulary(
    "key_role",
    "What the holder of a key may do; each role may do all that the one before it may.",
    Term("contributor", "Contributor", "Posts drafts; reads, edits and withdraws its own."),
    Term("editor", "Editor", "Publishes and edits all records, articles and vocabularies."),
    Term("admin", "Administrator", "Manages keys, makes releases and erases content."),
)

VOCABULARIES: tuple[Vocabulary, ...] = (
    EVENT_TYPES,
    ROLES,
    STATUSES,
    GEO_PRECISIONS,
    DATE_PRECISIONS,
    POLICE_MEASURES,
    WITHDRAWAL_CODES,
    FEED_ACTIONS,
    KEY_ROLES,
)

# Lower bounds, never best figures. 200 for "hundreds" follows the data dictionary of the Crowd
# Counting Consortium; the others carry the same reading (the least plural) to the other words.
COUNT_WORDS: Mapping[str, int] = MappingProxyType(
    {"dozens": 24, "hundreds": 200, "thousands": 2000}
)

COUNT_WORDS_RULE = (
    "A count given as a word stays that word in the claim. A curator may type the lower bound "
    "that the word implies, with no upper bound and no best figure: "
    + ", ".join(f"{word} {low}" for word, low in COUNT_WORDS.items())
    + ". Words never become a number by themselves, and other words (many, several, a large "
    "group) become none."
)

INCLUSION_RULE = (
    "An incident belongs in this data set when something happened at a known place outside "
    "any zone of armed conflict and at least one diaspora community took part in it or was its "
    "target. Shelling, fighting and mobilisation inside such a zone are context, not "
    "incidents. One event reported by several articles is one incident with several sources."
)

NOT_FOR: tuple[str, ...] = (
    (
        "To count harm done or suffered by a community: arrests, injuries and deaths are known "
        "for an event, not for a community, and are never divided among those who took part."
    ),
    (
        "To rank or compare communities, countries or cities: what is recorded depends on what "
        "was reported, in which languages, and on what curators have read."
    ),
    (
        "To estimate how often such incidents happen: the records are not a sample, and an "
        "absence of records is not an absence of incidents."
    ),
    (
        "To establish guilt or responsibility: roles describe presence, and blame appears only "
        "as the claim of a named source."
    ),
    "To identify, find or monitor private persons.",
    "To read a missing figure as zero: null means not reported, 0 means reported as none.",
    (
        "To add up figures without their bounds: a figure may be open-ended, disputed, or "
        "limited in scope to a part of the event."
    ),
    (
        "To map places more finely than their precision allows: a point for a city stands for "
        "the whole city."
    ),
)
