package feature

import "encoding/json"

// AppendJSON appends the result as encoding/json would write it, without encoding the value again.
func (r Result) AppendJSON(b []byte) []byte {
	b = appendText(append(b, `{"key":`...), r.Key)
	if len(r.Value) > 0 {
		b = append(append(b, `,"value":`...), r.Value...)
	}
	if r.Variant != "" {
		b = appendText(append(b, `,"variant":`...), r.Variant)
	}
	b = appendText(append(b, `,"reason":`...), string(r.Reason))
	if r.ErrorCode != "" {
		b = appendText(append(b, `,"errorCode":`...), string(r.ErrorCode))
	}
	if r.ErrorDetails != "" {
		b = appendText(append(b, `,"errorDetails":`...), r.ErrorDetails)
	}
	if len(r.Metadata) > 0 {
		b = append(append(b, `,"metadata":`...), r.Metadata...)
	}
	return append(b, '}')
}

func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quotedText, err := json.Marshal(text)
			if err != nil {
				return append(b, `""`...)
			}
			return append(b, quotedText...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
