"""What introspection asks of the server's information_schema.

Each view is asked by itself, for one table, named by constants. In a join of two of them MariaDB
opens every table of every database, which takes seconds where there are many.
"""

from __future__ import annotations

TABLES = """
    SELECT table_name, table_type, table_comment
    FROM information_schema.tables WHERE table_schema = DATABASE()
"""
ENGINE = """
    SELECT engine FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name = %s
"""
# A cursor's description tells neither the length of a VARCHAR in characters, nor the precision of a
# DECIMAL, nor AUTO_INCREMENT. A collation is told only where it is not its table's.
COLUMNS = """
    SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale,
        extra, column_default, NULLIF(collation_name, (
            SELECT table_collation FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name = %(table)s
        )), column_type LIKE '%% unsigned', column_comment
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = %(table)s
"""
RELATIONS = """
    SELECT constraint_name, column_name, referenced_column_name, referenced_table_name
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE() AND table_name = %s
"""
DELETE_RULES = """
    SELECT constraint_name, delete_rule FROM information_schema.referential_constraints
    WHERE constraint_schema = DATABASE() AND table_name = %s
"""
KEYS = """
    SELECT constraint_name, column_name, referenced_table_name, referenced_column_name
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND table_name = %s
        AND COALESCE(referenced_table_schema, DATABASE()) = DATABASE()
    ORDER BY ordinal_position
"""
# The server gives a primary key this name, and no other.
PRIMARY = "PRIMARY"
# MySQL's view of checks does not say whose they are.
CHECKS_OF_MARIADB = """
    SELECT constraint_name, check_clause FROM information_schema.check_constraints
    WHERE constraint_schema = DATABASE() AND table_name = %s
"""
CHECKS_OF_MYSQL = """
    SELECT k.constraint_name, k.check_clause FROM information_schema.check_constraints AS k
    JOIN information_schema.table_constraints AS c
        ON c.constraint_schema = k.constraint_schema AND c.constraint_name = k.constraint_name
    WHERE c.table_schema = DATABASE() AND c.table_name = %s AND c.constraint_type = 'CHECK'
"""
