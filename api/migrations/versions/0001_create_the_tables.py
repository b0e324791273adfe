"""Create the tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "api_keys",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column(
            "prefix",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column(
            "created_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "revoked_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.CheckConstraint(
            "role IN ('contributor', 'editor', 'admin')", name=op.f("ck_api_keys_role")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "communities",
        sa.Column(
            "id",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
    )
    op.create_table(
        "dataset",
        sa.Column("pk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.CheckConstraint("pk = 1", name=op.f("ck_dataset_single")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_dataset")),
    )
    op.create_table(
        "episodes",
        sa.Column(
            "id",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episodes")),
    )
    op.create_table(
        "gazetteer_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_gazetteer_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gazetteer_state")),
    )
    op.create_table(
        "place_names",
        sa.Column(
            "name",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("geonames_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("canonical", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", "geonames_id", name=op.f("pk_place_names")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "places",
        sa.Column("geonames_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "folded",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("admin1_code", sa.String(length=20), nullable=True),
        sa.Column("admin1", sa.String(length=200), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("geonames_id", name=op.f("pk_places")),
    )
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_places_country"), ["country"], unique=False)

    op.create_table(
        "idempotency_keys",
        sa.Column("api_key_pk", sa.Integer(), nullable=False),
        sa.Column(
            "route",
            sa.String(length=300).with_variant(sa.String(length=300, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "key",
            sa.String(length=255).with_variant(sa.String(length=255, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["api_key_pk"], ["api_keys.pk"], name=op.f("fk_idempotency_keys_api_key_pk")
        ),
        sa.PrimaryKeyConstraint("api_key_pk", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_keys_created_at", ["created_at"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column(
            "id",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document_pk", sa.Integer(), nullable=True),
        sa.Column("public_from", sa.Integer(), nullable=True),
        sa.Column("author_pk", sa.Integer(), nullable=True),
        sa.Column("corrects_pk", sa.Integer(), nullable=True),
        sa.Column("merged_into_pk", sa.Integer(), nullable=True),
        sa.Column("withdrawal_code", sa.String(length=16), nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column(
            "type",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "date",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("date_precision", sa.String(length=8), nullable=False),
        sa.Column(
            "earliest",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "latest",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "sort_date",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("wide", sa.Boolean(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column(
            "city_key",
            sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("admin1", sa.Text(), nullable=True),
        sa.Column(
            "country",
            sa.String(length=2).with_variant(sa.String(length=2, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("venue", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("geo_precision", sa.String(length=8), nullable=True),
        sa.Column("geonames_id", sa.Integer(), nullable=True),
        sa.Column("arrests", sa.Integer(), nullable=True),
        sa.Column("arrests_low", sa.Integer(), nullable=True),
        sa.Column("arrests_high", sa.Integer(), nullable=True),
        sa.Column("injuries", sa.Integer(), nullable=True),
        sa.Column("injuries_low", sa.Integer(), nullable=True),
        sa.Column("injuries_high", sa.Integer(), nullable=True),
        sa.Column("deaths", sa.Integer(), nullable=True),
        sa.Column("deaths_low", sa.Integer(), nullable=True),
        sa.Column("deaths_high", sa.Integer(), nullable=True),
        sa.Column("participants", sa.Integer(), nullable=True),
        sa.Column("participants_low", sa.Integer(), nullable=True),
        sa.Column("participants_high", sa.Integer(), nullable=True),
        sa.Column("injuries_police", sa.Integer(), nullable=True),
        sa.Column("injuries_police_low", sa.Integer(), nullable=True),
        sa.Column("injuries_police_high", sa.Integer(), nullable=True),
        sa.Column("property_damage", sa.Boolean(), nullable=True),
        sa.Column(
            "episode",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("disputed", sa.Text(), nullable=False),
        sa.Column("number_of_sources", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'published', 'withdrawn', 'merged')",
            name=op.f("ck_incidents_status"),
        ),
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_incidents_point_whole")
        ),
        sa.CheckConstraint(
            "arrests_low <= arrests AND arrests <= arrests_high AND arrests_low <= arrests_high",
            name=op.f("ck_incidents_arrests_ordered"),
        ),
        sa.CheckConstraint(
            "arrests_low >= 0 AND arrests >= 0 AND arrests_high >= 0",
            name=op.f("ck_incidents_arrests_positive"),
        ),
        sa.CheckConstraint(
            "city IS NOT NULL OR latitude IS NOT NULL", name=op.f("ck_incidents_placed")
        ),
        sa.CheckConstraint(
            "deaths_low <= deaths AND deaths <= deaths_high AND deaths_low <= deaths_high",
            name=op.f("ck_incidents_deaths_ordered"),
        ),
        sa.CheckConstraint(
            "deaths_low >= 0 AND deaths >= 0 AND deaths_high >= 0",
            name=op.f("ck_incidents_deaths_positive"),
        ),
        sa.CheckConstraint("earliest <= latest", name=op.f("ck_incidents_dates_ordered")),
        sa.CheckConstraint(
            "injuries_low <= injuries AND injuries <= injuries_high AND injuries_low <= injuries_high",
            name=op.f("ck_incidents_injuries_ordered"),
        ),
        sa.CheckConstraint(
            "injuries_low >= 0 AND injuries >= 0 AND injuries_high >= 0",
            name=op.f("ck_incidents_injuries_positive"),
        ),
        sa.CheckConstraint(
            "injuries_police_low <= injuries_high", name=op.f("ck_incidents_police_within_injuries")
        ),
        sa.CheckConstraint(
            "injuries_police_low <= injuries_police AND injuries_police <= injuries_police_high AND injuries_police_low <= injuries_police_high",
            name=op.f("ck_incidents_injuries_police_ordered"),
        ),
        sa.CheckConstraint(
            "injuries_police_low >= 0 AND injuries_police >= 0 AND injuries_police_high >= 0",
            name=op.f("ck_incidents_injuries_police_positive"),
        ),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f("ck_incidents_latitude")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f("ck_incidents_longitude")),
        sa.CheckConstraint(
            "participants_low <= participants AND participants <= participants_high AND participants_low <= participants_high",
            name=op.f("ck_incidents_participants_ordered"),
        ),
        sa.CheckConstraint(
            "participants_low >= 0 AND participants >= 0 AND participants_high >= 0",
            name=op.f("ck_incidents_participants_positive"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_incidents_version")),
        sa.ForeignKeyConstraint(
            ["author_pk"], ["api_keys.pk"], name=op.f("fk_incidents_author_pk")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_pk"], ["incidents.pk"], name=op.f("fk_incidents_corrects_pk")
        ),
        sa.ForeignKeyConstraint(["episode"], ["episodes.id"], name=op.f("fk_incidents_episode")),
        sa.ForeignKeyConstraint(
            ["merged_into_pk"], ["incidents.pk"], name=op.f("fk_incidents_merged_into_pk")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_incidents")),
        sa.UniqueConstraint("id", name=op.f("uq_incidents_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(
            "ix_incidents_city",
            ["city_key", "sort_date", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.create_index(
            "ix_incidents_corrects",
            ["corrects_pk"],
            unique=False,
            sqlite_where=sa.text("corrects_pk IS NOT NULL"),
            postgresql_where=sa.text("corrects_pk IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_incidents_country",
            ["country", "sort_date", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.create_index(
            "ix_incidents_date",
            ["sort_date", "id", "document_pk"],
            unique=False,
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.create_index(
            "ix_incidents_episode",
            ["episode", "sort_date", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.create_index(
            "ix_incidents_merged_into",
            ["merged_into_pk"],
            unique=False,
            sqlite_where=sa.text("merged_into_pk IS NOT NULL"),
            postgresql_where=sa.text("merged_into_pk IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_incidents_type",
            ["type", "sort_date", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.create_index(
            "ix_incidents_unpublished",
            ["status", "sort_date", "id"],
            unique=False,
            sqlite_where=sa.text("status <> 'published'"),
            postgresql_where=sa.text("status <> 'published'"),
        )
        batch_op.create_index(
            "ix_incidents_updated",
            ["updated_at", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.create_index(
            "ix_incidents_wide",
            ["sort_date", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'published' AND wide"),
            postgresql_where=sa.text("status = 'published' AND wide"),
        )

    op.create_table(
        "reference_versions",
        sa.Column("resource", sa.String(length=16), nullable=False),
        sa.Column(
            "id",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("actor_pk", sa.Integer(), nullable=True),
        sa.Column(
            "at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_pk"], ["api_keys.pk"], name=op.f("fk_reference_versions_actor_pk")
        ),
        sa.PrimaryKeyConstraint("resource", "id", "number", name=op.f("pk_reference_versions")),
    )
    op.create_table(
        "articles",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column(
            "id",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("draft_pk", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("publisher", sa.Text(), nullable=True),
        sa.Column(
            "publisher_key",
            sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column(
            "published",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("address_sha256", sa.String(length=64), nullable=True),
        sa.Column("archive_url", sa.Text(), nullable=True),
        sa.Column(
            "syndicated_from",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("text_sha256", sa.String(length=64), nullable=True),
        sa.Column(
            "created_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.CheckConstraint("url IS NOT NULL OR title IS NOT NULL", name=op.f("ck_articles_named")),
        sa.ForeignKeyConstraint(["draft_pk"], ["incidents.pk"], name=op.f("fk_articles_draft_pk")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_articles")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index("ix_articles_publisher_key", ["publisher_key", "pk"], unique=False)
        batch_op.create_index(
            "uq_articles_address",
            ["address_sha256"],
            unique=True,
            sqlite_where=sa.text("draft_pk IS NULL"),
            postgresql_where=sa.text("draft_pk IS NULL"),
        )
        batch_op.create_index("uq_articles_id_draft", ["draft_pk", "id"], unique=True)
        batch_op.create_index(
            "uq_articles_id_public",
            ["id"],
            unique=True,
            sqlite_where=sa.text("draft_pk IS NULL"),
            postgresql_where=sa.text("draft_pk IS NULL"),
        )

    op.create_table(
        "claims",
        sa.Column("incident_pk", sa.Integer(), nullable=False),
        sa.Column("source_position", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("low", sa.Integer(), nullable=True),
        sa.Column("high", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("attributed_to", sa.Text(), nullable=True),
        sa.Column(
            "community",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.CheckConstraint("low >= 0 AND high >= 0 AND low <= high", name=op.f("ck_claims_bounds")),
        sa.ForeignKeyConstraint(
            ["community"], ["communities.id"], name=op.f("fk_claims_community")
        ),
        sa.ForeignKeyConstraint(
            ["incident_pk"], ["incidents.pk"], name=op.f("fk_claims_incident_pk")
        ),
        sa.PrimaryKeyConstraint(
            "incident_pk", "source_position", "position", name=op.f("pk_claims")
        ),
    )
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index("ix_claims_field", ["field", "incident_pk"], unique=False)

    op.create_table(
        "distinct_pairs",
        sa.Column("first_pk", sa.Integer(), nullable=False),
        sa.Column("second_pk", sa.Integer(), nullable=False),
        sa.Column(
            "at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.CheckConstraint("first_pk < second_pk", name=op.f("ck_distinct_pairs_ordered")),
        sa.ForeignKeyConstraint(
            ["first_pk"], ["incidents.pk"], name=op.f("fk_distinct_pairs_first_pk")
        ),
        sa.ForeignKeyConstraint(
            ["second_pk"], ["incidents.pk"], name=op.f("fk_distinct_pairs_second_pk")
        ),
        sa.PrimaryKeyConstraint("first_pk", "second_pk", name=op.f("pk_distinct_pairs")),
    )
    op.create_table(
        "incident_communities",
        sa.Column("incident_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "community",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=True),
        sa.Column("participants_low", sa.Integer(), nullable=True),
        sa.Column("participants_high", sa.Integer(), nullable=True),
        sa.Column("organisations", sa.JSON(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column(
            "sort_date",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "id",
            sa.String(length=10).with_variant(sa.String(length=10, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("document_pk", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "participants_low <= participants AND participants <= participants_high AND participants_low <= participants_high",
            name=op.f("ck_incident_communities_participants_ordered"),
        ),
        sa.CheckConstraint(
            "participants_low >= 0 AND participants >= 0 AND participants_high >= 0",
            name=op.f("ck_incident_communities_participants_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["community"], ["communities.id"], name=op.f("fk_incident_communities_community")
        ),
        sa.ForeignKeyConstraint(
            ["incident_pk"], ["incidents.pk"], name=op.f("fk_incident_communities_incident_pk")
        ),
        sa.PrimaryKeyConstraint("incident_pk", "position", name=op.f("pk_incident_communities")),
    )
    with op.batch_alter_table("incident_communities", schema=None) as batch_op:
        batch_op.create_index(
            "ix_incident_communities_community", ["community", "role", "incident_pk"], unique=False
        )
        batch_op.create_index(
            "ix_incident_communities_listed",
            ["community", "sort_date", "id", "incident_pk", "document_pk"],
            unique=False,
            sqlite_where=sa.text("listed"),
            postgresql_where=sa.text("listed"),
        )

    op.create_table(
        "incident_measures",
        sa.Column("incident_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_pk"], ["incidents.pk"], name=op.f("fk_incident_measures_incident_pk")
        ),
        sa.PrimaryKeyConstraint("incident_pk", "position", name=op.f("pk_incident_measures")),
    )
    with op.batch_alter_table("incident_measures", schema=None) as batch_op:
        batch_op.create_index(
            "ix_incident_measures_measure", ["measure", "incident_pk"], unique=False
        )

    op.create_table(
        "versions",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("incident_pk", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("actor_pk", sa.Integer(), nullable=True),
        sa.Column(
            "at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["actor_pk"], ["api_keys.pk"], name=op.f("fk_versions_actor_pk")),
        sa.ForeignKeyConstraint(
            ["incident_pk"], ["incidents.pk"], name=op.f("fk_versions_incident_pk")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_versions")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.create_index("uq_versions_number", ["incident_pk", "number"], unique=True)

    op.create_table(
        "changes",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("resource", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column(
            "id",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_pk", sa.Integer(), nullable=True),
        sa.Column(
            "at",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["version_pk"], ["versions.pk"], name=op.f("fk_changes_version_pk")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_changes")),
    )
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.create_index("ix_changes_id", ["id", "seq"], unique=False)

    op.create_table(
        "sources",
        sa.Column("incident_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("article_pk", sa.Integer(), nullable=False),
        sa.Column("locator", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_pk"], ["articles.pk"], name=op.f("fk_sources_article_pk")
        ),
        sa.ForeignKeyConstraint(
            ["incident_pk"], ["incidents.pk"], name=op.f("fk_sources_incident_pk")
        ),
        sa.PrimaryKeyConstraint("incident_pk", "position", name=op.f("pk_sources")),
    )
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.create_index("ix_sources_article_pk", ["article_pk", "incident_pk"], unique=False)
    for name in ("arrests", "injuries"):
        for order, unknown in (("down", -1), ("up", 1000000001)):
            op.create_index(
                f"ix_incidents_{name}_{order}",
                "incidents",
                [sa.text(f"coalesce({name}, {name}_low, {unknown})"), "id"],
                sqlite_where=sa.text("status = 'published'"),
                postgresql_where=sa.text("status = 'published'"),
            )
    op.execute("INSERT INTO dataset (pk, version, published) VALUES (1, 0, 0)")


def downgrade() -> None:
    """Undo the change."""
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.drop_index("ix_sources_article_pk")

    op.drop_table("sources")
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.drop_index("ix_changes_id")

    op.drop_table("changes")
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_index("uq_versions_number")

    op.drop_table("versions")
    with op.batch_alter_table("incident_measures", schema=None) as batch_op:
        batch_op.drop_index("ix_incident_measures_measure")

    op.drop_table("incident_measures")
    with op.batch_alter_table("incident_communities", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_incident_communities_listed",
            sqlite_where=sa.text("listed"),
            postgresql_where=sa.text("listed"),
        )
        batch_op.drop_index("ix_incident_communities_community")

    op.drop_table("incident_communities")
    op.drop_table("distinct_pairs")
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.drop_index("ix_claims_field")

    op.drop_table("claims")
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_articles_id_public",
            sqlite_where=sa.text("draft_pk IS NULL"),
            postgresql_where=sa.text("draft_pk IS NULL"),
        )
        batch_op.drop_index("uq_articles_id_draft")
        batch_op.drop_index(
            "uq_articles_address",
            sqlite_where=sa.text("draft_pk IS NULL"),
            postgresql_where=sa.text("draft_pk IS NULL"),
        )
        batch_op.drop_index("ix_articles_publisher_key")

    op.drop_table("articles")
    op.drop_table("reference_versions")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_incidents_wide",
            sqlite_where=sa.text("status = 'published' AND wide"),
            postgresql_where=sa.text("status = 'published' AND wide"),
        )
        batch_op.drop_index(
            "ix_incidents_updated",
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.drop_index(
            "ix_incidents_unpublished",
            sqlite_where=sa.text("status <> 'published'"),
            postgresql_where=sa.text("status <> 'published'"),
        )
        batch_op.drop_index(
            "ix_incidents_type",
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.drop_index(
            "ix_incidents_merged_into",
            sqlite_where=sa.text("merged_into_pk IS NOT NULL"),
            postgresql_where=sa.text("merged_into_pk IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_incidents_episode",
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.drop_index(
            "ix_incidents_date",
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.drop_index(
            "ix_incidents_country",
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )
        batch_op.drop_index(
            "ix_incidents_corrects",
            sqlite_where=sa.text("corrects_pk IS NOT NULL"),
            postgresql_where=sa.text("corrects_pk IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_incidents_city",
            sqlite_where=sa.text("status = 'published'"),
            postgresql_where=sa.text("status = 'published'"),
        )

    op.drop_table("incidents")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_keys_created_at")

    op.drop_table("idempotency_keys")
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_places_country"))

    op.drop_table("places")
    op.drop_table("place_names")
    op.drop_table("gazetteer_state")
    op.drop_table("episodes")
    op.drop_table("dataset")
    op.drop_table("communities")
    op.drop_table("api_keys")
