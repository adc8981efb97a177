package isolation_test

// matrix says for every relation, command and caller which rows the command reaches. Every caller acts
// in tenant A. All but outsider, super and service are members of A in the role of that name and, to
// tempt a policy that mixes tenants up, owners of tenant B; outsider is an owner of B only, super a
// super admin without a membership in A.
//
//	denied   no privilege: permission denied (42501), or a view that takes no rows
//	none     no row; an insert violates the policy
//	own      tenant A's rows
//	shared   tenant A's and the platform's
//	self     the caller's own, in whichever tenant
//	private  the caller's own in tenant A
//	own+self tenant A's and the caller's own
//	mine     the tenants the caller is an active member of
//	active   the flags in use
//	all      every row
const matrix = `
relation                     command anon   outsider viewer   member   admin    owner    super   service

organizations                select  denied mine     mine     mine     mine     mine     all     all
organizations                insert  denied none     none     none     none     none     all     all
organizations                update  denied none     none     none     none     none     all     all
organizations                delete  denied denied   denied   denied   denied   denied   denied  all
users                        select  denied self     own+self own+self own+self own+self all     all
users                        insert  denied denied   denied   denied   denied   denied   denied  all
users                        update  denied denied   denied   denied   denied   denied   denied  all
users                        delete  denied denied   denied   denied   denied   denied   denied  all
profiles                     select  denied self     self     self     self     self     all     all
profiles                     insert  denied denied   denied   denied   denied   denied   denied  all
profiles                     update  denied self     self     self     self     self     self    all
profiles                     delete  denied denied   denied   denied   denied   denied   denied  all
user_tenants                 select  denied self     own+self own+self own+self own+self all     all
user_tenants                 insert  denied denied   denied   denied   denied   denied   denied  all
user_tenants                 update  denied denied   denied   denied   denied   denied   denied  all
user_tenants                 delete  denied denied   denied   denied   denied   denied   denied  all
invitations                  select  denied none     none     none     own      own      own     all
invitations                  insert  denied denied   denied   denied   denied   denied   denied  all
invitations                  update  denied denied   denied   denied   denied   denied   denied  all
invitations                  delete  denied denied   denied   denied   denied   denied   denied  all

tenant_configurations        select  denied none     own      own      own      own      own     all
tenant_configurations        insert  denied denied   denied   denied   denied   denied   denied  all
tenant_configurations        update  denied none     none     none     own      own      own     all
tenant_configurations        delete  denied denied   denied   denied   denied   denied   denied  all
tenant_apps                  select  denied none     own      own      own      own      own     all
tenant_apps                  insert  denied none     none     none     own      own      own     all
tenant_apps                  update  denied none     none     none     own      own      own     all
tenant_apps                  delete  denied none     none     none     own      own      own     all
tenant_agents                select  denied none     own      own      own      own      own     all
tenant_agents                insert  denied none     none     none     own      own      own     all
tenant_agents                update  denied none     none     none     own      own      own     all
tenant_agents                delete  denied none     none     none     own      own      own     all
tenant_full_config           select  denied none     own      own      own      own      own     all
tenant_full_config           insert  denied denied   denied   denied   denied   denied   denied  denied
tenant_full_config           update  denied denied   denied   denied   denied   denied   denied  denied
tenant_full_config           delete  denied denied   denied   denied   denied   denied   denied  denied

feature_flags                select  denied active   active   active   active   active   all     all
feature_flags                insert  denied none     none     none     none     none     all     all
feature_flags                update  denied none     none     none     none     none     all     all
feature_flags                delete  denied none     none     none     none     none     all     all
feature_flag_versions        select  denied none     none     none     none     none     all     all
feature_flag_versions        insert  denied denied   denied   denied   denied   denied   denied  denied
feature_flag_versions        update  denied denied   denied   denied   denied   denied   denied  denied
feature_flag_versions        delete  denied denied   denied   denied   denied   denied   denied  denied
feature_flag_evaluators      select  denied all      all      all      all      all      all      all
feature_flag_evaluators      insert  denied none     none     none     none     none     all      all
feature_flag_evaluators      update  denied none     none     none     none     none     all      all
feature_flag_evaluators      delete  denied none     none     none     none     none     all      all
feature_flag_changes         select  denied none     none     none     none     none     all      all
feature_flag_changes         insert  denied denied   denied   denied   denied   denied   denied   denied
feature_flag_changes         update  denied denied   denied   denied   denied   denied   denied   denied
feature_flag_changes         delete  denied denied   denied   denied   denied   denied   denied   denied
tenant_feature_flags         select  denied none     own      own      own      own      own     all
tenant_feature_flags         insert  denied none     none     none     own      own      own     all
tenant_feature_flags         update  denied none     none     none     own      own      own     all
tenant_feature_flags         delete  denied none     none     none     own      own      own     all
tenant_feature_flag_versions select  denied none     none     none     own      own      own     all
tenant_feature_flag_versions insert  denied denied   denied   denied   denied   denied   denied  denied
tenant_feature_flag_versions update  denied denied   denied   denied   denied   denied   denied  denied
tenant_feature_flag_versions delete  denied denied   denied   denied   denied   denied   denied  denied
tenant_feature_flag_changes  select  denied none     none     none     own      own      own      all
tenant_feature_flag_changes  insert  denied denied   denied   denied   denied   denied   denied   denied
tenant_feature_flag_changes  update  denied denied   denied   denied   denied   denied   denied   denied
tenant_feature_flag_changes  delete  denied denied   denied   denied   denied   denied   denied   denied
tenant_feature_flag_usage    select  denied none     none     none     own      own      all      all
tenant_feature_flag_usage    insert  denied denied   denied   denied   denied   denied   denied   denied
tenant_feature_flag_usage    update  denied denied   denied   denied   denied   denied   denied   denied
tenant_feature_flag_usage    delete  denied denied   denied   denied   denied   denied   denied   denied

agents                       select  denied none     shared   shared   shared   shared   shared  all
agents                       insert  denied none     none     own      own      own      own     all
agents                       update  denied none     none     own      own      own      own     all
agents                       delete  denied none     none     own      own      own      own     all
tools                        select  denied none     shared   shared   shared   shared   shared  all
tools                        insert  denied none     none     own      own      own      own     all
tools                        update  denied none     none     own      own      own      own     all
tools                        delete  denied none     none     own      own      own      own     all
tool_categories              select  denied none     shared   shared   shared   shared   shared  all
tool_categories              insert  denied none     none     none     own      own      own     all
tool_categories              update  denied none     none     none     own      own      own     all
tool_categories              delete  denied none     none     none     own      own      own     all
prompts                      select  denied none     shared   shared   shared   shared   shared  all
prompts                      insert  denied none     none     own      own      own      own     all
prompts                      update  denied none     none     own      own      own      own     all
prompts                      delete  denied none     none     own      own      own      own     all
knowledge                    select  denied none     shared   shared   shared   shared   shared  all
knowledge                    insert  denied none     none     own      own      own      own     all
knowledge                    update  denied none     none     own      own      own      own     all
knowledge                    delete  denied none     none     own      own      own      own     all
personas                     select  denied none     shared   shared   shared   shared   shared  all
personas                     insert  denied none     none     own      own      own      own     all
personas                     update  denied none     none     own      own      own      own     all
personas                     delete  denied none     none     own      own      own      own     all
jobs_to_be_done              select  denied none     shared   shared   shared   shared   shared  all
jobs_to_be_done              insert  denied none     none     own      own      own      own     all
jobs_to_be_done              update  denied none     none     own      own      own      own     all
jobs_to_be_done              delete  denied none     none     own      own      own      own     all
chat_sessions                select  denied none     private  private  private  private  private all
chat_sessions                insert  denied none     none     private  private  private  private all
chat_sessions                update  denied none     none     private  private  private  private all
chat_sessions                delete  denied none     none     private  private  private  private all

organization_audit_log       select  denied none     none     none     own      own      all     all
organization_audit_log       insert  denied denied   denied   denied   denied   denied   denied  denied
organization_audit_log       update  denied denied   denied   denied   denied   denied   denied  denied
organization_audit_log       delete  denied denied   denied   denied   denied   denied   denied  denied
tool_usage_log               select  denied none     none     none     own      own      own     all
tool_usage_log               insert  denied none     none     private  private  private  private all
tool_usage_log               update  denied denied   denied   denied   denied   denied   denied  denied
tool_usage_log               delete  denied denied   denied   denied   denied   denied   denied  all
query_performance            select  denied none     none     none     own      own      all     all
query_performance            insert  denied none     none     private  private  private  private all
query_performance            update  denied denied   denied   denied   denied   denied   denied  denied
query_performance            delete  denied denied   denied   denied   denied   denied   denied  denied
query_performance_log        select  denied none     none     none     own      own      all     all
query_performance_log        insert  denied none     none     private  private  private  private all
query_performance_log        update  denied denied   denied   denied   denied   denied   denied  denied
query_performance_log        delete  denied denied   denied   denied   denied   denied   denied  denied
access_records               select  denied none     none     none     own      own      all     all
access_records               insert  denied denied   denied   denied   denied   denied   denied  denied
access_records               update  denied denied   denied   denied   denied   denied   denied  denied
access_records               delete  denied denied   denied   denied   denied   denied   denied  denied
break_glass                  select  denied none     none     none     own      own      all     all
break_glass                  insert  denied denied   denied   denied   denied   denied   denied  denied
break_glass                  update  denied denied   denied   denied   denied   denied   denied  denied
break_glass                  delete  denied denied   denied   denied   denied   denied   denied  denied
schema_validation_rules      select  denied none     none     none     none     none     all     all
schema_validation_rules      insert  denied denied   denied   denied   denied   denied   denied  denied
schema_validation_rules      update  denied denied   denied   denied   denied   denied   denied  denied
schema_validation_rules      delete  denied denied   denied   denied   denied   denied   denied  denied
`
