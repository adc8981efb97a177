-- Find users without profiles
SELECT u.id, u.email FROM users u
WHERE NOT EXISTS (
  SELECT 1 FROM profiles p WHERE p.id = u.id
);

-- Create profiles
INSERT INTO profiles (id, email, full_name, role, tenant_id)
SELECT
  u.id,
  u.email,
  COALESCE(
    (SELECT raw_user_meta_data->>'full_name' FROM auth.users WHERE id = u.id),
    SPLIT_PART(u.email, '@', 1)
  ),
  'user',
  u.organization_id
FROM users u
WHERE NOT EXISTS (
  SELECT 1 FROM profiles p WHERE p.id = u.id
);
