package cli

import (
	_ "embed"

	"github.com/vital-db/vital/database"
)

//go:embed cli.sql
var queryText string

var queries = database.ParseQueries(queryText)
