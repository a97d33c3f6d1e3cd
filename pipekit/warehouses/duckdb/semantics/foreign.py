"""Functions of kinds that DuckDB does not have: XML, geography, vectors, sketches, and what is about a session.

https://docs.snowflake.com/en/sql-reference/intro-summary-operators-functions
"""

from __future__ import annotations

from pipekit.warehouses.duckdb.semantics.rules import refused

refused(
    "DuckDB reads no XML",
    "Convert the files to JSON before they are loaded.",
    *["CHECK_XML", "PARSE_XML", "TO_XML", "TRY_PARSE_XML", "XMLGET"],
)
refused(
    "DuckDB has no geography",
    "Keep latitude and longitude as numbers; haversine is equal on both engines.",
    *["TO_GEOGRAPHY", "TO_GEOMETRY", "TRY_TO_GEOGRAPHY", "TRY_TO_GEOMETRY"],
    *(
        f"H3_{name}"
        for name in [
            "CELL_TO_BOUNDARY",
            "CELL_TO_CHILDREN",
            "CELL_TO_CHILDREN_STRING",
            "CELL_TO_PARENT",
            "CELL_TO_POINT",
            "COMPACT_CELLS",
            "COVERAGE",
            "COVERAGE_STRINGS",
            "GET_RESOLUTION",
            "GRID_DISK",
            "GRID_DISTANCE",
            "GRID_PATH",
            "INT_TO_STRING",
            "IS_PENTAGON",
            "IS_VALID_CELL",
            "LATLNG_TO_CELL",
            "LATLNG_TO_CELL_STRING",
            "POINT_TO_CELL",
            "POINT_TO_CELL_STRING",
            "POLYGON_TO_CELLS",
            "POLYGON_TO_CELLS_STRINGS",
            "STRING_TO_INT",
            "UNCOMPACT_CELLS",
        ]
    ),
    *(
        f"ST_{name}"
        for name in [
            "AREA",
            "ASEWKB",
            "ASEWKT",
            "ASGEOJSON",
            "ASTEXT",
            "ASWKB",
            "ASWKT",
            "AZIMUTH",
            "BUFFER",
            "CENTROID",
            "COLLECT",
            "CONTAINS",
            "COVEREDBY",
            "COVERS",
            "DIFFERENCE",
            "DIMENSION",
            "DISJOINT",
            "DISTANCE",
            "DWITHIN",
            "ENDPOINT",
            "ENVELOPE",
            "GEOGFROMGEOHASH",
            "GEOGPOINTFROMGEOHASH",
            "GEOGRAPHYFROMWKB",
            "GEOGRAPHYFROMWKT",
            "GEOHASH",
            "GEOMETRYFROMWKB",
            "GEOMETRYFROMWKT",
            "GEOMFROMGEOHASH",
            "GEOMPOINTFROMGEOHASH",
            "HAUSDORFFDISTANCE",
            "INTERPOLATE",
            "INTERSECTION",
            "INTERSECTION_AGG",
            "INTERSECTS",
            "ISVALID",
            "LENGTH",
            "MAKEGEOMPOINT",
            "MAKELINE",
            "MAKEPOINT",
            "MAKEPOLYGON",
            "MAKEPOLYGONORIENTED",
            "NPOINTS",
            "NUMPOINTS",
            "PERIMETER",
            "POINT",
            "POINTN",
            "POLYGON",
            "SETSRID",
            "SIMPLIFY",
            "SRID",
            "STARTPOINT",
            "SYMDIFFERENCE",
            "TRANSFORM",
            "UNION",
            "UNION_AGG",
            "WITHIN",
            "X",
            "XMAX",
            "XMIN",
            "Y",
            "YMAX",
            "YMIN",
        ]
    ),
)
refused(
    "DuckDB has no VECTOR, and no models",
    "",
    *["VECTOR_COSINE_SIMILARITY", "VECTOR_INNER_PRODUCT", "VECTOR_L1_DISTANCE", "VECTOR_L2_DISTANCE"],
    *[
        "AI_AGG",
        "AI_CLASSIFY",
        "AI_COMPLETE",
        "AI_EMBED",
        "AI_EXTRACT",
        "AI_FILTER",
        "AI_SENTIMENT",
        "AI_SIMILARITY",
        "AI_SUMMARIZE_AGG",
    ],
    *["AI_TRANSCRIBE", "AI_TRANSLATE"],
)
refused(
    "estimates with an algorithm of Snowflake's own",
    "Use count(distinct ...), median or percentile_cont.",
    *["APPROX_PERCENTILE_ACCUMULATE", "APPROX_PERCENTILE_COMBINE", "APPROX_PERCENTILE_ESTIMATE"],
    *["APPROX_TOP_K_ACCUMULATE", "APPROX_TOP_K_COMBINE", "APPROX_TOP_K_ESTIMATE", "APPROXIMATE_JACCARD_INDEX"],
    *["BITMAP_BIT_POSITION", "BITMAP_BUCKET_NUMBER", "BITMAP_COUNT", "BITMAP_OR_AGG"],
    *["HLL_ACCUMULATE", "HLL_COMBINE", "HLL_ESTIMATE", "HLL_IMPORT", "MINHASH_COMBINE"],
)
refused(
    "it is about a session of Snowflake",
    "Give the value as a variable: {{ var('name') }}.",
    *["CURRENT_ACCOUNT", "CURRENT_ACCOUNT_NAME", "CURRENT_AVAILABLE_ROLES", "CURRENT_CLIENT", "CURRENT_IP_ADDRESS"],
    *["CURRENT_ORGANIZATION_NAME", "CURRENT_REGION", "CURRENT_ROLE", "CURRENT_SECONDARY_ROLES", "CURRENT_SESSION"],
    *[
        "CURRENT_STATEMENT",
        "CURRENT_TRANSACTION",
        "CURRENT_VERSION",
        "CURRENT_WAREHOUSE",
        "IS_ROLE_IN_SESSION",
        "LAST_QUERY_ID",
    ],
    *["LAST_TRANSACTION", "INVOKER_ROLE", "INVOKER_SHARE"],
)
refused(
    "it is about objects and files of Snowflake",
    "",
    *["BUILD_STAGE_FILE_URL", "BUILD_SCOPED_FILE_URL", "GET_ABSOLUTE_PATH", "GET_DDL", "GET_OBJECT_REFERENCES"],
    *["GET_PRESIGNED_URL", "GET_RELATIVE_PATH", "GET_STAGE_LOCATION", "GETVARIABLE", "EXPLAIN_JSON", "TO_FILE"],
    *["POLICY_CONTEXT", "EXTRACT_SEMANTIC_CATEGORIES", "SYSTEM$TYPEOF", "SYSTEM$WAIT", "TO_QUERY", "TRY_TO_QUERY"],
    *["CURRENT_ROLE_TYPE", "IS_DATABASE_ROLE_IN_SESSION", "IS_GRANTED_TO_INVOKER_ROLE", "CURRENT_SCHEMAS"],
)
refused(
    "DuckDB has none like it",
    "",
    *["COLLATION", "DECOMPRESS_BINARY", "DECRYPT_RAW", "ENCRYPT_RAW", "TRY_DECRYPT", "TRY_DECRYPT_RAW"],
    *["SEARCH", "SEARCH_IP", "PROMPT", "VALIDATE_UTF8"],
)
