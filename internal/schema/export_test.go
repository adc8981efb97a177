package schema

import "io/fs"

// NewMigratorFrom is NewMigrator with other SQL than this binary's; nil stands for the binary's own.
func NewMigratorFrom(config Config, migrations, objects fs.FS) (*Migrator, error) {
	from := embedded
	if migrations != nil {
		from.migrations = migrations
	}
	if objects != nil {
		from.objects = objects
	}
	return newMigrator(config, from)
}
