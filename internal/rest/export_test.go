package rest

// SQL returns the statement that in becomes, and its values; nothing is run.
func (e *Engine) SQL(in *Request, session Session) (text string, values [][]byte, err error) {
	r, err := e.config.read(in)
	if err != nil {
		return "", nil, err
	}
	switch r.action {
	case describeSchema, optionsOfRelation, optionsOfRoutine, optionsOfSchema:
		return "", nil, nil
	default:
	}
	p, err := e.plan(e.catalog.Load(), r, session)
	if err != nil {
		return "", nil, err
	}
	w := &sqlWriter{}
	w.main(p)
	return w.String(), w.values, nil
}

// CountSQL is the statement that counts the rows of a read, "" for anything else.
func (e *Engine) CountSQL(in *Request, session Session) (text string, values [][]byte, err error) {
	r, err := e.config.read(in)
	if err != nil || r.action != readRows {
		return "", nil, err
	}
	p, err := e.plan(e.catalog.Load(), r, session)
	if err != nil {
		return "", nil, err
	}
	w := &sqlWriter{}
	w.count(p.read)
	return w.String(), w.values, nil
}

// ParseQuery parses a query string as it is for a relation, or for a call.
func ParseQuery(raw string, call bool) (*Query, error) { return parseQuery(raw, call) }

// ParseSelect parses the value of select.
func ParseSelect(value string) ([]SelectItem, error) { return parseSelect(value) }

// ParseMediaType reads a media type and writes it again.
func ParseMediaType(text string) string { return parseMediaType(text).String() }

// ParseAccept reads an Accept header and writes what it accepts, the most wanted first.
func ParseAccept(header string) []string {
	var names []string
	for _, m := range parseAccept(header) {
		names = append(names, m.String())
	}
	return names
}

// ParsePreferences reads Prefer headers and writes what would be acknowledged of them.
func ParsePreferences(headers []string) (applied string, unknown []string) {
	p := parsePreferences(headers, true)
	return p.applied(), p.unknown
}

// Identifiers are all names of the catalog: what a statement may quote without being told to by a request.
func (e *Engine) Identifiers() map[string]bool {
	c := e.catalog.Load()
	names := map[string]bool{}
	add := func(n Name) { names[n.Schema], names[n.Name] = true, true }
	for n, t := range c.tables {
		add(n)
		for _, column := range t.Columns {
			names[column.Name] = true
		}
		for name := range t.computed {
			names[name] = true
		}
	}
	for n, overloads := range c.routines {
		add(n)
		for _, r := range overloads {
			for _, p := range r.Params {
				names[p.Name] = true
			}
		}
	}
	for key, list := range c.relations {
		add(key.origin)
		for _, r := range list {
			add(r.target)
			add(r.function)
			for _, pair := range r.columns {
				names[pair[0]], names[pair[1]] = true, true
			}
		}
	}
	return names
}

// Texts are what the catalog writes into statements as it stands: types, defaults, functions.
func (e *Engine) Texts() []string {
	c := e.catalog.Load()
	var texts []string
	for _, sql := range c.types {
		texts = append(texts, sql)
	}
	for _, function := range c.representations {
		texts = append(texts, function)
	}
	for _, t := range c.tables {
		for _, column := range t.Columns {
			texts = append(texts, column.Nominal)
			if column.Default != nil {
				texts = append(texts, *column.Default)
			}
		}
	}
	for _, overloads := range c.routines {
		for _, r := range overloads {
			for _, p := range r.Params {
				texts = append(texts, p.Type, p.Castable)
			}
		}
	}
	return texts
}

// MentionedNames are the names of in's query and body: what it may make a statement quote.
func (e *Engine) MentionedNames(in *Request) map[string]bool {
	r, err := e.config.read(in)
	if err != nil {
		return nil
	}
	names := map[string]bool{}
	for _, list := range [][]string{r.payload.columns, r.query.Columns, r.query.OnConflict} {
		for _, name := range list {
			names[name] = true
		}
	}
	field := func(f Field) {
		names[f.Name] = true
		for _, step := range f.JSON {
			names[step.Operand] = true // the last one names what is selected
		}
	}
	var items func([]SelectItem)
	items = func(list []SelectItem) {
		for _, item := range list {
			names[item.Alias], names[item.Relation] = true, true
			field(item.Field)
			items(item.Items)
		}
	}
	items(r.query.Select)
	var logic func(Logic)
	logic = func(l Logic) {
		if l.Filter != nil {
			field(l.Filter.Field)
		}
		for _, term := range l.Terms {
			logic(term)
		}
	}
	for _, l := range r.query.Logic {
		logic(l.Tree)
	}
	for _, f := range r.query.Filters {
		field(f.Filter.Field)
	}
	for _, o := range r.query.Orders {
		for _, term := range o.Terms {
			field(term.Field)
		}
	}
	return names
}
