package rest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// mediaKind tells the media types apart that mean something here.
type mediaKind int

const (
	mediaOther mediaKind = iota
	mediaAny
	mediaJSON
	mediaGeoJSON
	mediaCSV
	mediaText
	mediaXML
	mediaOpenAPI
	mediaForm
	mediaOctets
	mediaArrayStripped // a JSON array without nulls
	mediaObject        // exactly one row
	mediaPlan          // how the database would answer
)

var mediaNames = map[mediaKind]string{
	mediaAny: "*/*", mediaJSON: "application/json", mediaGeoJSON: "application/geo+json", mediaCSV: "text/csv",
	mediaText: "text/plain", mediaXML: "text/xml", mediaOpenAPI: "application/openapi+json",
	mediaForm: "application/x-www-form-urlencoded", mediaOctets: "application/octet-stream",
	mediaArrayStripped: "application/vnd.pgrst.array+json;nulls=stripped", mediaObject: "application/vnd.pgrst.object+json",
}

// mediaType is one media type with the parameters that mean something here.
type mediaType struct {
	kind     mediaKind
	name     string // of mediaOther
	stripped bool   // of mediaObject: without nulls
	// Of mediaPlan.
	planned    *mediaType // what is to be explained
	planAsJSON bool
	options    []string // analyze, verbose, settings, buffers, wal
}

func (m mediaType) String() string {
	switch m.kind {
	case mediaOther:
		return m.name
	case mediaObject:
		if m.stripped {
			return mediaNames[m.kind] + ";nulls=stripped"
		}
	case mediaPlan:
		text := "application/vnd.pgrst.plan+text"
		if m.planAsJSON {
			text = "application/vnd.pgrst.plan+json"
		}
		text += `; for="` + m.planned.String() + `"`
		if len(m.options) > 0 {
			text += "; options=" + strings.Join(m.options, "|")
		}
		return text
	default:
	}
	return mediaNames[m.kind]
}

// contentType is the header's value.
func (m mediaType) contentType() string {
	if m.kind == mediaOther || m.kind == mediaOctets {
		return m.String()
	}
	return m.String() + "; charset=utf-8"
}

var planOptions = [...]string{"analyze", "verbose", "settings", "buffers", "wal"}

// parseMediaType reads one media type; what it does not know it keeps as it stands.
func parseMediaType(text string) mediaType {
	name, params := splitMediaType(text)
	stripped := params["nulls"] == "stripped"
	switch name {
	case "application/vnd.pgrst.plan", "application/vnd.pgrst.plan+text", "application/vnd.pgrst.plan+json":
		planned := parseMediaType(cmp.Or(params["for"], "application/json"))
		m := mediaType{kind: mediaPlan, planned: &planned, planAsJSON: strings.HasSuffix(name, "+json")}
		given := strings.Split(params["options"], "|")
		for _, option := range planOptions {
			if slices.Contains(given, option) {
				m.options = append(m.options, option)
			}
		}
		return m
	case "application/vnd.pgrst.object+json", "application/vnd.pgrst.object":
		return mediaType{kind: mediaObject, stripped: stripped}
	case "application/vnd.pgrst.array+json", "application/vnd.pgrst.array":
		if stripped {
			return mediaType{kind: mediaArrayStripped}
		}
		return mediaType{kind: mediaJSON}
	}
	for kind, known := range mediaNames {
		if known == name {
			return mediaType{kind: kind}
		}
	}
	return mediaType{kind: mediaOther, name: text}
}

// splitMediaType returns the type in lower case and its parameters.
func splitMediaType(text string) (name string, params map[string]string) {
	name, rest, _ := strings.Cut(text, ";")
	params = map[string]string{}
	for rest != "" {
		var part string
		part, rest = cutParameter(rest)
		key, value, _ := strings.Cut(part, "=")
		params[strings.ToLower(strings.TrimSpace(key))] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return strings.ToLower(strings.TrimSpace(name)), params
}

// cutParameter cuts at the next semicolon outside of quotes.
func cutParameter(text string) (part, rest string) {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ';' && !quoted:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// parseAccept returns the media types of an Accept header, the most wanted first.
func parseAccept(header string) []mediaType {
	if header == "" {
		return []mediaType{{kind: mediaAny}}
	}
	type weighted struct {
		media mediaType
		q     float64
		stars int
	}
	var wanted []weighted
	quoted, start := false, 0
	take := func(text string) {
		text = strings.TrimSpace(text)
		if text == "" {
			return
		}
		name, params := splitMediaType(text)
		w := weighted{q: 1, stars: strings.Count(name, "*")}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			w.q = q
			text = withoutQuality(text)
		}
		w.media = parseMediaType(text)
		wanted = append(wanted, w)
	}
	for i := range len(header) {
		switch {
		case header[i] == '"':
			quoted = !quoted
		case header[i] == ',' && !quoted:
			take(header[start:i])
			start = i + 1
		}
	}
	take(header[start:])
	slices.SortStableFunc(wanted, func(a, b weighted) int {
		return cmp.Or(cmp.Compare(b.q, a.q), cmp.Compare(a.stars, b.stars))
	})
	media := make([]mediaType, len(wanted))
	for i, w := range wanted {
		media[i] = w.media
	}
	return media
}

func withoutQuality(text string) string {
	name, rest, _ := strings.Cut(text, ";")
	kept := name
	for rest != "" {
		var part string
		part, rest = cutParameter(rest)
		if !strings.HasPrefix(strings.TrimSpace(part), "q=") {
			kept += ";" + part
		}
	}
	return kept
}

// handlerKind says how rows become a body.
type handlerKind int

const (
	asArray handlerKind = iota
	asObject
	asCSV
	asGeoJSON
	byFunction // of the database, an aggregate over the rows or over the one value
	asNothing  // nobody reads the body
)

// handler turns rows into a media type.
type handler struct {
	kind     handlerKind
	stripped bool // without nulls
	function Name
	cast     bool // function is a type the value is cast to
	target   Name // the row type function takes; zero for any
	media    mediaType
}

// handlerKey finds handlers by what they are for (zero for anything) and the media type asked for.
type handlerKey struct {
	target Name
	media  string
}

func builtinHandlers() map[handlerKey]handler {
	json := mediaType{kind: mediaJSON}
	return map[handlerKey]handler{
		{media: mediaNames[mediaAny]}:     {kind: asArray, media: json},
		{media: mediaNames[mediaJSON]}:    {kind: asArray, media: json},
		{media: mediaNames[mediaCSV]}:     {kind: asCSV, media: mediaType{kind: mediaCSV}},
		{media: mediaNames[mediaGeoJSON]}: {kind: asGeoJSON, media: mediaType{kind: mediaGeoJSON}},
	}
}

// negotiate picks how to answer: the first media type of those accepted that can be made. wholeRow says that
// the select list is a lone *: only then can a handler of the relation itself be used.
func (c *Catalog) negotiate(accepted []mediaType, relation Name, wholeRow, plans bool) (handler, error) {
	for _, m := range accepted {
		if h, ok := c.handlerFor(m, relation, wholeRow, plans); ok {
			return h, nil
		}
	}
	return handler{}, notAcceptable(accepted)
}

func notAcceptable(accepted []mediaType) error {
	names := make([]string, len(accepted))
	for i, m := range accepted {
		names[i] = m.String()
	}
	return newError(406, "PGRST107", "None of these media types are available: "+strings.Join(names, ", "))
}

func (c *Catalog) handlerFor(m mediaType, relation Name, wholeRow, plans bool) (handler, bool) {
	switch m.kind {
	case mediaObject:
		return handler{kind: asObject, stripped: m.stripped, media: m}, true
	case mediaArrayStripped:
		return handler{kind: asArray, stripped: true, media: m}, true
	case mediaPlan:
		if !plans {
			return handler{}, false
		}
		h, ok := c.handlerFor(*m.planned, relation, wholeRow, false)
		h.media = m
		return h, ok
	default:
	}
	if wholeRow {
		for _, media := range [...]string{mediaNames[mediaAny], m.String()} {
			if h, ok := c.handlers[handlerKey{relation, media}]; ok {
				return h, true
			}
		}
	}
	h, ok := c.handlers[handlerKey{media: m.String()}]
	return h, ok
}
