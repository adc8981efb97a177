package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/postgres"
)

// object is a JSON object of the description.
type object map[string]any

// accessible is what a role may use of a schema.
type accessible map[string]map[int]bool // by name: -1 for a relation, else the number of a function's arguments

// describe answers the root: what of the schema the caller's role may use, as OpenAPI 2.
func (e *Engine) describe(ctx context.Context, catalog *Catalog, r *request, session Session, out Responder) error {
	if !slices.ContainsFunc(r.accept, func(m mediaType) bool {
		return m.kind == mediaOpenAPI || m.kind == mediaJSON || m.kind == mediaAny
	}) {
		return notAcceptable(r.accept)
	}
	may := accessible{}
	work := &postgres.Work{Name: "RestDescribe"}
	work.Generated(catalogQueries.Get("Accessible"), [][]byte{[]byte(quoted(r.schema))}, func(answer *pgconn.ResultReader) error {
		clear(may)
		for answer.NextRow() {
			name := string(answer.Values()[0])
			if may[name] == nil {
				may[name] = map[int]bool{}
			}
			may[name][int(number(answer.Values()[1]))] = true
		}
		return nil
	})
	if err := session.Run(ctx, work); err != nil {
		return databaseError(err, session.Authenticated)
	}
	body, err := json.Marshal(catalog.openAPI(r.schema, may))
	if err != nil {
		return fmt.Errorf("write description: %w", err)
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Type", mediaType{kind: mediaOpenAPI}.contentType())
	if r.profiled {
		header.Set("Content-Profile", r.schema)
	}
	if r.headOnly {
		out.Begin(200, header)
		return nil
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, err = out.Begin(200, header).Write(body)
	return err
}

func quoted(name string) string {
	w := &sqlWriter{}
	w.name(name)
	return w.String()
}

// openAPI describes a schema to a role that may use what it says.
func (c *Catalog) openAPI(schema string, may accessible) object {
	title, description := firstLine(c.schemas[schema])
	definitions, parameters := object{}, commonParameters()
	paths := object{"/": object{"get": object{
		"tags": []string{"Introspection"}, "summary": "OpenAPI description (this document)",
		"produces": []string{mediaNames[mediaOpenAPI], mediaNames[mediaJSON]}, "responses": responses("200", "OK"),
	}}}
	for name, t := range c.tables {
		if name.Schema != schema || !may[name.Name][-1] {
			continue
		}
		definitions[name.Name] = c.tableDefinition(t)
		parameters["body."+name.Name] = object{
			"name": name.Name, "in": "body", "description": name.Name, "required": false, "schema": reference("definitions", name.Name),
		}
		for _, column := range t.Columns {
			parameters["rowFilter."+name.Name+"."+column.Name] = described(object{
				"name": column.Name, "in": "query", "type": "string", "required": false,
			}, column.Description)
		}
		paths["/"+name.Name] = tablePath(t)
	}
	for name, overloads := range c.routines {
		for _, r := range overloads {
			if name.Schema == schema && may[name.Name][len(r.Params)] {
				paths["/rpc/"+name.Name] = routinePath(r)
			}
		}
	}
	produces := []string{
		mediaNames[mediaJSON], mediaNames[mediaObject] + ";nulls=stripped", mediaNames[mediaObject], mediaNames[mediaCSV],
	}
	return object{
		"swagger": "2.0", "schemes": []string{"http", "https"}, "basePath": "/", "consumes": produces, "produces": produces,
		"info": object{
			"title": cmp.Or(title, "Data of schema "+schema), "version": "1",
			"description": cmp.Or(description, "Relations and functions in the PostgREST dialect"),
		},
		"definitions": definitions, "parameters": parameters, "paths": paths,
		"securityDefinitions": object{"JWT": object{
			"type": "apiKey", "in": "header", "name": "Authorization", "description": `Add the token prepending "Bearer " (without quotes) to it`,
		}},
	}
}

func reference(kind, name string) object { return object{"$ref": "#/" + kind + "/" + name} }

func responses(status, description string) object {
	return object{status: object{"description": description}}
}

// described adds a description where there is one.
func described(o object, description string) object {
	if description != "" {
		o["description"] = description
	}
	return o
}

// firstLine splits a comment into its first line and the rest.
func firstLine(comment string) (first, rest string) {
	first, rest, _ = strings.Cut(comment, "\n")
	return first, strings.TrimLeft(rest, "\n")
}

func commonParameters() object {
	parameter := func(name, in, description string) object {
		return object{"name": name, "in": in, "description": description, "required": false, "type": "string"}
	}
	prefer := func(values ...string) object {
		p := parameter("Prefer", "header", "Preference")
		if len(values) > 0 {
			p["enum"] = values
		}
		return p
	}
	returns := []string{"return=representation", "return=minimal", "return=none"}
	unit := parameter("Range-Unit", "header", "Limiting and Pagination")
	unit["default"] = "items"
	return object{
		"preferParams": prefer(), "preferReturn": prefer(returns...), "preferCount": prefer("count=none"),
		"preferPost": prefer(append(returns, "resolution=ignore-duplicates", "resolution=merge-duplicates")...),
		"select":     parameter("select", "query", "Filtering Columns"), "on_conflict": parameter("on_conflict", "query", "On Conflict"),
		"order": parameter("order", "query", "Ordering"), "range": parameter("Range", "header", "Limiting and Pagination"),
		"rangeUnit": unit, "offset": parameter("offset", "query", "Limiting and Pagination"),
		"limit": parameter("limit", "query", "Limiting and Pagination"),
	}
}

func (c *Catalog) tableDefinition(t *Table) object {
	properties, required := object{}, []string{}
	for _, column := range t.Columns {
		properties[column.Name] = c.property(t, column)
		if !column.Nullable {
			required = append(required, column.Name)
		}
	}
	definition := described(object{"type": "object", "properties": properties}, t.Description)
	if len(required) > 0 {
		definition["required"] = required
	}
	return definition
}

func (c *Catalog) property(t *Table, column *Column) object {
	p := typed(column.Type)
	notes := []string{"Note:"}
	if slices.Contains(t.PrimaryKey, column.Name) {
		notes = append(notes, "This is a Primary Key.<pk/>")
	}
	if r := c.foreignKey(t, column.Name); r != nil {
		target, key := r.target.Name, r.columns[0][1]
		notes = append(notes, "This is a Foreign Key to `"+target+"."+key+"`.<fk table='"+target+"' column='"+key+"'/>")
	}
	description := column.Description
	if len(notes) > 1 {
		if description != "" {
			description += "\n\n"
		}
		description += strings.Join(notes, "\n")
	}
	if len(column.Enum) > 0 {
		p["enum"] = column.Enum
	}
	if column.MaxLength != nil {
		p["maxLength"] = *column.MaxLength
	}
	if value, ok := defaultValue(column); ok {
		p["default"] = value
	}
	return described(p, description)
}

// foreignKey finds the key of one column, to a table rather than a view.
func (c *Catalog) foreignKey(t *Table, column string) *Relationship {
	var found *Relationship
	for _, r := range c.relations[relationKey{t.Name, t.Schema}] {
		leads := r.cardinality == manyToOne || r.cardinality == oneToOne && !r.isParent
		if leads && len(r.columns) == 1 && r.columns[0][0] == column && (found == nil || found.targetIsView && !r.targetIsView) {
			found = r
		}
	}
	return found
}

// jsonTypes are JSON's types of those that are not shown as strings.
var jsonTypes = map[string]string{
	"boolean": "boolean", "smallint": "integer", "integer": "integer", "bigint": "integer",
	"numeric": "number", "real": "number", "double precision": "number", "json": "", "jsonb": "",
}

func jsonType(sql string) string {
	if name, ok := jsonTypes[sql]; ok {
		return name
	}
	if strings.HasSuffix(sql, "[]") {
		return "array"
	}
	return "string"
}

// typed is a value of an SQL type.
func typed(sql string) object {
	o := object{"format": sql}
	switch sql {
	case "smallint", "integer":
		o["format"] = "int32"
	case "bigint":
		o["format"] = "int64"
	}
	if name := jsonType(sql); name != "" {
		o["type"] = name
	}
	if o["type"] == "array" {
		o["items"] = object{"type": jsonType(strings.TrimSuffix(sql, "[]"))}
	}
	return o
}

// defaultValue reads a default as JSON, where it is a constant.
func defaultValue(column *Column) (any, bool) {
	if column.Default == nil {
		return nil, false
	}
	text := *column.Default
	if jsonType(column.Type) == "string" {
		return strings.Trim(strings.TrimSuffix(text, "::"+column.Type), "'"), true
	}
	var value any
	return value, json.Unmarshal([]byte(text), &value) == nil
}

func tablePath(t *Table) object {
	name := t.Name.Name
	summary, description := firstLine(t.Description)
	var filters []object
	for _, column := range t.Columns {
		filters = append(filters, reference("parameters", "rowFilter."+name+"."+column.Name))
	}
	operation := func(answers object, filtered bool, more ...string) object {
		var parameters []object
		if filtered {
			parameters = slices.Clone(filters)
		}
		for _, parameter := range more {
			parameters = append(parameters, reference("parameters", parameter))
		}
		o := described(object{"tags": []string{name}, "parameters": parameters, "responses": answers}, description)
		if summary != "" {
			o["summary"] = summary
		}
		return o
	}
	read := object{
		"200": object{"description": "OK", "schema": object{"type": "array", "items": reference("definitions", name)}},
		"206": object{"description": "Partial Content"},
	}
	path := object{"get": operation(read, true, "select", "order", "range", "rangeUnit", "offset", "limit", "preferCount")}
	if t.Insertable || t.Updatable || t.Deletable {
		path["post"] = operation(responses("201", "Created"), false, "body."+name, "select", "preferPost")
		path["patch"] = operation(responses("204", "No Content"), true, "body."+name, "preferReturn")
		path["delete"] = operation(responses("204", "No Content"), true, "preferReturn")
	}
	return path
}

func routinePath(r *Routine) object {
	summary, description := firstLine(r.Description)
	operation := func(parameters []object) object {
		o := described(object{
			"tags": []string{"(rpc) " + r.Name.Name}, "parameters": parameters, "responses": responses("200", "OK"),
			"produces": []string{mediaNames[mediaJSON], mediaNames[mediaObject] + ";nulls=stripped", mediaNames[mediaObject]},
		}, description)
		if summary != "" {
			o["summary"] = summary
		}
		return o
	}
	properties, required := object{}, []string{}
	var query []object
	for _, p := range r.Params {
		properties[p.Name] = typed(p.Type)
		if p.Required {
			required = append(required, p.Name)
		}
		parameter := object{"name": p.Name, "in": "query", "required": p.Required, "type": cmp.Or(jsonType(p.Type), "string"), "format": typed(p.Type)["format"]}
		switch {
		case p.Variadic:
			parameter["type"], parameter["collectionFormat"] = "array", "multi"
			parameter["items"] = object{"type": jsonType(strings.TrimSuffix(p.Type, "[]")), "format": strings.TrimSuffix(p.Type, "[]")}
			delete(parameter, "format")
		case parameter["type"] == "array":
			parameter["type"] = "string"
		}
		query = append(query, parameter)
	}
	body := described(object{"type": "object", "properties": properties}, r.Description)
	if len(required) > 0 {
		body["required"] = required
	}
	path := object{"post": operation([]object{
		{"name": "args", "in": "body", "required": true, "schema": body}, reference("parameters", "preferParams"),
	})}
	if r.volatility != "volatile" {
		path["get"] = operation(query)
	}
	return path
}
