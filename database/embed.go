// Package database holds everything VITAL says in SQL: it reads without Go, and goes into the binary
// as it stands here.
package database

import "embed"

// Migrations are the frozen, ordered changes of tables.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Objects are the functions, views, triggers and policies, one file a subject, applied anew whenever
// their text changes.
//
//go:embed objects
var Objects embed.FS

// Roles is the operator's step: roles, schemas and default privileges. It may be run at any time again.
//
//go:embed roles.sql
var Roles string

// Lints are the checks of `vital check rls`, one file each: a query that returns object and detail for
// every finding, with its title, level, scope, kind of object and hint in the comment above it.
//
//go:embed lints/*.sql
var Lints embed.FS

// LintTerms stands in front of every lint: the parameters and the terms they share.
//
//go:embed lints.sql
var LintTerms string

// Scale are the checks of `vital check scale`, in the form of Lints.
//
//go:embed scale/*.sql
var Scale embed.FS

// ScaleTerms stands between LintTerms and every one of Scale.
//
//go:embed scale.sql
var ScaleTerms string

// Schemas are JSON Schemas (2020-12) of what the API takes; they are served as they stand.
//
//go:embed schemas/*.json
var Schemas embed.FS

// Subject is what the attacks on isolation must know of this schema.
//
//go:embed subject.yaml
var Subject string

// Attacks are what a hostile tenant tries, one file a family: SQL with placeholders that are filled from
// the live catalog, each attack with its title, verb and what would be a leak in the comment above it.
//
//go:embed attacks/*.sql
var Attacks embed.FS
