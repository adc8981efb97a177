package schema

import (
	"maps"
	"regexp"
	"strings"
	"time"
)

// rolled are the tables whose partitions a server makes and drops as time goes by.
var rolled = []struct {
	table    string         // of schema public
	byName   *regexp.Regexp // of a partition: its name, and the day or month it is of
	layout   string         // of that
	ends     func(begins time.Time) time.Time
	fallback string // the default partition, which all others are like
}{
	{
		"query_performance", regexp.MustCompile(`^vital\.(query_performance_(\d{8}))$`), "20060102",
		func(begins time.Time) time.Time { return begins.AddDate(0, 0, 1) }, "query_performance_default",
	},
	{
		"access_records", regexp.MustCompile(`^vital\.(access_records_(\d{6}))$`), "200601",
		func(begins time.Time) time.Time { return begins.AddDate(0, 1, 0) }, "access_records_default",
	},
}

// withPartitions is what is expected of a database that has the partitions of actual: each is as the default one, but for
// its bounds, which are its day's or month's. Whatever else is said of one, a privilege or a policy, is a difference.
func (i *Inventory) withPartitions(actual *Inventory) *Inventory {
	expected := &Inventory{facts: maps.Clone(i.facts), objects: maps.Clone(i.objects), owners: maps.Clone(i.owners)}
	for _, of := range rolled {
		for _, table := range actual.facts {
			name := of.byName.FindStringSubmatch(table.object)
			if table.kind != "table" || table.aspect != "" || name == nil {
				continue
			}
			begins, err := time.Parse(of.layout, name[2])
			if err != nil {
				continue // it is no day, and unexpected
			}
			rename := strings.NewReplacer(of.fallback, name[1])
			for _, f := range i.facts {
				if !strings.Contains(f.object, of.fallback) && !strings.Contains(f.parent, of.fallback) {
					continue
				}
				f.object, f.parent, f.value = rename.Replace(f.object), rename.Replace(f.parent), rename.Replace(f.value)
				f.make, f.unmake = rename.Replace(f.make), rename.Replace(f.unmake)
				switch is := actual.facts[f.key()]; {
				case f.aspect == "partition of" && boundsOf(is.value, of.table, begins, of.ends(begins)), f.kind == "comment":
					f.value = is.value
				}
				expected.add(f)
			}
		}
	}
	return expected
}

// boundsOf says that bounds, as PostgreSQL writes them, are those of a partition of table from begins to ends, in UTC, whatever time
// zone they are written in.
func boundsOf(bounds, table string, begins, ends time.Time) bool {
	found := partitionBounds.FindStringSubmatch(bounds)
	if found == nil || found[1] != table {
		return false
	}
	for n, want := range []time.Time{begins, ends} {
		layout := "2006-01-02 15:04:05Z07"
		if strings.Count(found[n+2], ":") > 2 {
			layout += ":00" // of a time zone that is not full hours away
		}
		if at, err := time.Parse(layout, found[n+2]); err != nil || !at.Equal(want) {
			return false
		}
	}
	return true
}

var partitionBounds = regexp.MustCompile(`^public\.(\w+) FOR VALUES FROM \('([^']*)'\) TO \('([^']*)'\)$`)
