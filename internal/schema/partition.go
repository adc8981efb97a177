package schema

import (
	"maps"
	"regexp"
	"strings"
	"time"
)

const defaultPartition = "query_performance_default"

// dayPartition is a partition of query_performance that a server makes and drops as days go by.
var dayPartition = regexp.MustCompile(`^vital\.(query_performance_(\d{8}))$`)

// withDayPartitions is what is expected of a database that has the day partitions of actual: each is as the default one, but for
// its bounds, which are its day's. Whatever else is said of one, a privilege or a policy, is a difference.
func (i *Inventory) withDayPartitions(actual *Inventory) *Inventory {
	expected := &Inventory{facts: maps.Clone(i.facts), objects: maps.Clone(i.objects), owners: maps.Clone(i.owners)}
	for _, table := range actual.facts {
		name := dayPartition.FindStringSubmatch(table.object)
		if table.kind != "table" || table.aspect != "" || name == nil {
			continue
		}
		day, err := time.Parse("20060102", name[2])
		if err != nil {
			continue // it is no day, and unexpected
		}
		rename := strings.NewReplacer(defaultPartition, name[1])
		for _, f := range i.facts {
			if !strings.Contains(f.object, defaultPartition) && !strings.Contains(f.parent, defaultPartition) {
				continue
			}
			f.object, f.parent, f.value = rename.Replace(f.object), rename.Replace(f.parent), rename.Replace(f.value)
			f.make, f.unmake = rename.Replace(f.make), rename.Replace(f.unmake)
			switch is := actual.facts[f.key()]; {
			case f.aspect == "partition of" && boundsOf(is.value, day), f.kind == "comment":
				f.value = is.value
			}
			expected.add(f)
		}
	}
	return expected
}

// boundsOf says that bounds, as PostgreSQL writes them, are those of a day in UTC, whatever time zone they are written in.
func boundsOf(bounds string, day time.Time) bool {
	found := partitionBounds.FindStringSubmatch(bounds)
	if found == nil {
		return false
	}
	for n, want := range []time.Time{day, day.AddDate(0, 0, 1)} {
		layout := "2006-01-02 15:04:05Z07"
		if strings.Count(found[n+1], ":") > 2 {
			layout += ":00" // of a time zone that is not full hours away
		}
		if at, err := time.Parse(layout, found[n+1]); err != nil || !at.Equal(want) {
			return false
		}
	}
	return true
}

var partitionBounds = regexp.MustCompile(`^public\.query_performance FOR VALUES FROM \('([^']*)'\) TO \('([^']*)'\)$`)
