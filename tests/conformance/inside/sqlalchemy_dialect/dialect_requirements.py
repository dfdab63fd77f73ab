"""What MySQL and MariaDB can and cannot, where SQLAlchemy's defaults for a third party differ."""

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

#: Of both servers.
CAN = (
    *("autocommit", "isolation_level", "savepoints", "skip_autocommit_rollback"),
    *("two_phase_transactions", "dbapi_lastrowid", "emulated_lastrowid"),
    *("emulated_lastrowid_even_with_sequences", "percent_schema_names", "unicode_ddl"),
    *("aggregate_order_by", "boolean_col_expressions", "ctes", "except_", "intersect"),
    *("mod_operator_as_percent_sign", "order_by_collation", "order_by_label_with_expression"),
    *("regexp_match", "regexp_replace", "supports_bitwise_and", "supports_bitwise_or"),
    *("supports_bitwise_xor", "supports_bitwise_shift", "tuple_in", "tuple_in_w_empty"),
    *("update_from", "window_functions", "window_range", "window_range_numeric"),
    *("computed_columns", "computed_columns_stored", "computed_columns_virtual"),
    *("computed_columns_reflect_persisted", "create_or_replace_view", "create_table_as"),
    *("create_temp_table_as", "expression_server_defaults", "server_defaults"),
    *("schema_create_delete", "table_ddl_if_exists", "views", "has_temp_table"),
    *("check_constraint_reflection", "comment_reflection", "cross_schema_fk_reflection"),
    *("fk_constraint_option_reflection_ondelete_noaction", "foreign_keys_reflect_as_index"),
    *("foreign_key_constraint_name_reflection", "indexes_check_column_order"),
    *("foreign_key_constraint_option_reflection_ondelete", "reflect_table_options"),
    *("foreign_key_constraint_option_reflection_onupdate", "temp_table_comment_reflection"),
    *("unique_constraints_reflect_as_index", "unique_index_reflect_as_unique_constraints"),
    *("view_column_reflection", "view_reflection"),
    *("date_historic", "datetime_historic", "datetime_literals", "nvarchar_types"),
    *("json_type", "json_array_indexes", "legacy_unconditional_json_extract"),
    *("precision_numerics_enotation_small", "precision_numerics_many_significant_digits"),
    "precision_numerics_retains_significant_digits",
)

#: MariaDB has them and MySQL not.
MARIADB_CAN = (
    *("cast_precision_numerics_many_significant_digits", "ctes_with_values"),
    *("fetch_first", "fetch_no_order_by", "fetch_offset_with_options", "fetch_ties"),
    *("index_ddl_if_exists", "uuid_data_type"),
)

#: What SQLAlchemy expects of a third party and these servers cannot, and why. The tests run, and
#: must fail.
FAILS = {
    "date_implicit_bound": "parameters are literals in the text: a date is a string there",
    "datetime_implicit_bound": "parameters are literals in the text: a datetime is a string there",
    "time_implicit_bound": "parameters are literals in the text: a time is a string there",
    "precision_generic_float_type": "FLOAT has six digits",
    "sql_expression_limit_offset": "LIMIT and OFFSET take numbers only",
}

#: Likewise; the tests do not run.
CANNOT = {
    "datetime_microseconds": "DATETIME has no fraction, unless it is asked for",
    "time_microseconds": "TIME has no fraction, unless it is asked for",
    "unbounded_varchar": "VARCHAR needs a length",
}


class Requirements(SuiteRequirements):
    """SQLAlchemy asks it what a test may expect."""

    @property
    def json_index_supplementary_unicode_element(self):
        """MariaDB does not find a key beyond the basic plane by a path."""
        return exclusions.skip_if("mariadb")

    def get_order_by_collation(self, config):
        """One that the suite's databases can use."""
        return "utf8mb4_bin"


def _allow(names, rule, *arguments):
    for name in names:
        setattr(Requirements, name, property(lambda self: rule(*arguments)))


_allow(CAN, exclusions.open)
_allow(MARIADB_CAN, exclusions.only_on, "mariadb")
for _name, _why in FAILS.items():
    _allow([_name], exclusions.fails, _why)
for _name, _why in CANNOT.items():
    _allow([_name], exclusions.skip_if, lambda config: True, _why)
