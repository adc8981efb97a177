package isolation

import (
	"context"
	"fmt"
	"strings"
)

// othersRows are the rows of a table that are the other tenant's, or everybody's.
type othersRows struct {
	relation *relation
	parts    []uint32 // the table, and its partitions
	query    string   // what they come to, as one value
	before   string   // its answer as they were
	written  string   // what the transaction had written to the table when that was looked at
}

// findOthers finds the tables whose rows of the other tenant no attack may change.
func (t *suite) findOthers(ctx context.Context) ([]*othersRows, error) {
	var all []*othersRows
	var oids []uint32
	for _, r := range t.c.relations {
		if !r.isTable() || r.partition || !t.s.exposes(r) {
			continue
		}
		where := "true"
		switch name := t.s.tenantColumn(r); {
		case name != "":
			where = identifier(name) + " = " + literal(t.other.tenant)
		case t.other.rows[r] != nil && t.s.rule(r).Global == "":
			where = keyOf(r, t.other.rows[r], "r")
		}
		query, _ := fills{"relation": r.quoted(), "where": where}.render(catalogQueries.Get("State"))
		all, oids = append(all, &othersRows{relation: r, query: query}), append(oids, r.oid)
	}
	var place int
	var oid uint32
	return all, each(ctx, t.conn, "Partitions", []any{&place, &oid}, func() { all[place].parts = append(all[place].parts, oid) }, oids)
}

// writtenTo is a query for what the transaction has written to each of the tables so far, a row for each of their parts.
func writtenTo(all []*othersRows) string {
	var places, oids []string
	for place, o := range all {
		for _, oid := range o.parts {
			places, oids = append(places, fmt.Sprint(place)), append(oids, fmt.Sprint(oid))
		}
	}
	list := func(of []string) string { return literal("{" + strings.Join(of, ",") + "}") }
	query, _ := fills{"places": list(places), "relations": list(oids)}.render(catalogQueries.Get("Written"))
	return query
}

// noteOthers notes how everything is that is the other tenant's.
func (t *suite) noteOthers(ctx context.Context) error {
	answers, err := t.ask(ctx, t.others)
	if err != nil {
		return err
	}
	for i, o := range t.others {
		o.before = answers[i]
	}
	return nil
}

// othersChange looks with the operator's eyes at whether the other tenant's data is as it was, and says where it is not. A table is read
// only where the transaction has written to it since it was read last: most attacks come to nothing.
func (t *suite) othersChange(ctx context.Context) (string, error) {
	results, err := t.exec(ctx, "set local session authorization default; reset role; set local row_security = on;\n"+t.written)
	if err != nil {
		return "", err
	}
	if t.written == "" {
		return t.difference(ctx, t.others)
	}
	written := make([]string, len(t.others))
	for _, row := range results[len(results)-1].Rows {
		var place int
		if _, err := fmt.Sscan(string(row[0]), &place); err != nil {
			return "", fmt.Errorf("read what was written: %w", err)
		}
		written[place] += string(row[1]) + ","
	}
	var touched []*othersRows
	for place, o := range t.others {
		if o.written != written[place] {
			o.written, touched = written[place], append(touched, o)
		}
	}
	return t.difference(ctx, touched)
}

// difference says where, of these tables, the other tenant's data is not as it was.
func (t *suite) difference(ctx context.Context, of []*othersRows) (string, error) {
	answers, err := t.ask(ctx, of)
	if err != nil {
		return "", err
	}
	for i, o := range of {
		if answers[i] != o.before {
			return "the other tenant's rows of " + o.relation.label() + " are not what they were", nil
		}
	}
	return "", nil
}

// ask asks what rows come to, all at once.
func (t *suite) ask(ctx context.Context, of []*othersRows) ([]string, error) {
	if len(of) == 0 {
		return nil, nil
	}
	queries, answers := make([]string, len(of)), make([]string, len(of))
	for i, o := range of {
		queries[i] = o.query
	}
	results, err := t.exec(ctx, strings.Join(queries, ";\n"))
	if err != nil {
		return nil, fmt.Errorf("look at the other tenant: %w", err)
	}
	for i := range answers {
		answers[i] = string(results[i].Rows[0][0])
	}
	return answers, nil
}
