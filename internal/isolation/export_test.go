package isolation

// SplitJunction and Terms are what Explain reads expressions with; Terms returns labels and queries.
var SplitJunction = splitJunction

func Terms(expression, relation string, columns []string) map[string]string {
	found := map[string]string{}
	for _, t := range terms(expression, relation, columns) {
		found[t.label] = t.query
	}
	return found
}
