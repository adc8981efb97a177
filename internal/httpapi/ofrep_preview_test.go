package httpapi_test

import (
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// counted is what has been counted of evaluations so far, by tenant, flag and variant.
func (b *bundle) counted() string {
	b.t.Helper()
	require.NoError(b.t, b.flags.WriteUsage(b.t.Context()))
	return b.text(`
		select coalesce(string_agg(concat_ws(' ', o.slug, f.flag_key, u.variant, u.evaluations), E'\n' order by o.slug, f.flag_key, u.variant), 'nothing')
		from tenant_feature_flag_usage u join feature_flags f on f.id = u.feature_flag_id join organizations o on o.id = u.tenant_id`)
}

// streamToken is what an answer says of its event stream, whose token is sealed anew at each.
var streamToken = regexp.MustCompile(`token=[^&"]+`)

// TestOFREP_Preview: who only looks is told what everybody is told, under the same validator and rules of caching, and is not counted.
func TestOFREP_Preview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda := b.bearer(ada)
	looking := append(slices.Clone(asAda), "Vital-Purpose", "preview")
	for _, path := range []string{evaluatePath, evaluatePath + "/two", evaluatePath + "/missing"} {
		looked := b.evaluate(path, `{}`, looking...)
		require.Equal(t, "nothing", b.counted(), path)
		used := b.evaluate(path, `{}`, asAda...)
		require.Equal(t, used.status, looked.status, path)
		if path == evaluatePath+"/missing" {
			require.Equal(t, http.StatusNotFound, looked.status)
			continue
		}
		require.Equal(t, streamToken.ReplaceAllString(used.body, ""), streamToken.ReplaceAllString(looked.body, ""), path)
		for _, name := range []string{"ETag", "Cache-Control", "Vary", "Content-Type", "Vital-Version"} {
			require.Equal(t, used.header.Values(name), looked.header.Values(name), "%s of %s", name, path)
		}
		require.Contains(t, b.counted(), "acme two off 1", "what is used is counted")
		b.db.Exec(t, "delete from tenant_feature_flag_usage")
	}

	etag := b.evaluate(evaluatePath, `{}`, looking...).header.Get("ETag")
	require.NotEmpty(t, etag)
	require.Equal(t, http.StatusNotModified, b.evaluate(evaluatePath, `{}`, append(slices.Clone(looking), "If-None-Match", etag)...).status)
	require.Equal(t, http.StatusNotModified, b.evaluate(evaluatePath, `{}`, append(slices.Clone(asAda), "If-None-Match", etag)...).status)
	require.Equal(t, "nothing", b.counted())
}

// TestOFREP_PreviewOpensNothing: it is asked who is asking as ever, and what is no purpose is refused.
func TestOFREP_PreviewOpensNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	preview := func(headers ...string) []string { return append(headers, "Vital-Purpose", "preview") }
	for _, path := range []string{evaluatePath, evaluatePath + "/two"} {
		require.Equal(t, http.StatusUnauthorized, b.evaluate(path, `{}`, preview()...).status)
		got := b.evaluate(path, `{}`, preview(append(b.bearer(ada), "Vital-Tenant", "bolt")...)...)
		require.Equal(t, http.StatusForbidden, got.status)
		require.NotContains(t, got.body, "secret_of_b")
		got = b.evaluate(path, `{"context":{"tenant":{"id":"`+tenantB+`"}}}`, preview(b.bearer(ada)...)...)
		require.Equal(t, http.StatusOK, got.status)
		require.NotContains(t, got.body, "secret_of_b")

		for _, purpose := range []string{"", "Preview", "prefetch", "preview, preview"} {
			got := b.evaluate(path, `{}`, append(b.bearer(ada), "Vital-Purpose", purpose)...)
			require.Equal(t, http.StatusBadRequest, got.status, purpose)
			require.Equal(t, "invalid", got.decode(t)["code"], purpose)
			require.Contains(t, got.body, "Vital-Purpose: preview")
		}
	}
	require.Equal(t, "nothing", b.counted())
}
