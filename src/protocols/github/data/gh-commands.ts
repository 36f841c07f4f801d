// The commands of gh and their flags, kept by hand from `gh <command> --help` (2.23) and the manual
// of later releases. Aliases of commands are in ../github-command.ts. A flag that is missing here
// makes a command line unknown, so a new release of gh is a reason to look here.

/**
 * One command a line, then its flags: `name/n=` takes a value, `name/n` is a switch, `name/n?` takes a value
 * only after `=`. `+repo` is `repo/R=`; `+json` is `json=`, `jq/q=` and `template/t=`.
 */
export const GH_COMMANDS = `
accessibility: web/w
agent-task create: +repo base/b= custom-agent/a= follow from-file/F=
agent-task list: +json limit/L= web/w
agent-task view: +json +repo follow log web/w
alias delete: all
alias import: clobber
alias list:
alias set: clobber shell/s
api: cache= field/F= header/H= hostname= include/i input= jq/q= method/X= paginate preview/p= raw-field/f= silent slurp template/t= verbose
attestation download: +repo digest-alg/d= hostname= limit/L= owner/o= predicate-type=
attestation trusted-root: hostname= tuf-root= tuf-url= verify-only
attestation verify: +repo bundle/b= bundle-from-oci cert-identity= cert-identity-regex/i= cert-oidc-issuer= custom-trusted-root= deny-self-hosted-runners digest-alg/d= format= hostname= jq/q= limit/L= no-public-good owner/o= predicate-type= signer-digest= signer-repo= signer-workflow= source-digest= source-ref= template/t=
auth login: clipboard/c git-protocol/p= hostname/h= insecure-storage scopes/s= skip-ssh-key web/w with-token
auth logout: hostname/h= user/u=
auth refresh: clipboard/c hostname/h= insecure-storage remove-scopes/r= reset-scopes scopes/s=
auth setup-git: force/f hostname/h=
auth status: active/a hostname/h= jq/q= json= show-token/t template=
auth switch: hostname/h= user/u=
auth token: hostname/h= secure-storage user/u=
browse: +repo actions/a blame branch/b= commit/c? no-browser/n projects/p releases/r settings/s wiki/w
cache delete: +repo all/a ref/r= succeed-on-no-caches
cache list: +json +repo key/k= limit/L= order/O= ref/r= sort/S=
codespace code: +repo codespace/c= insiders repo-owner= web/w
codespace cp: +repo codespace/c= expand/e profile/p= recursive/r repo-owner=
codespace create: +repo branch/b= default-permissions devcontainer-path= display-name/d= idle-timeout= location/l= machine/m= retention-period= status/s web/w
codespace delete: +repo all codespace/c= days= force/f org/o= repo-owner= user/u=
codespace edit: +repo codespace/c= display-name/d= machine/m= repo-owner=
codespace jupyter: +repo codespace/c= repo-owner=
codespace list: +json +repo limit/L= org/o= user/u= web/w
codespace logs: +repo codespace/c= follow/f repo-owner=
codespace ports forward: +repo codespace/c= repo-owner=
codespace ports visibility: +repo codespace/c= repo-owner=
codespace ports: +json +repo codespace/c= repo-owner=
codespace rebuild: +repo codespace/c= full repo-owner=
codespace ssh: +repo codespace/c= config debug/d debug-file= profile= repo-owner= server-port=
codespace stop: +repo codespace/c= org/o= repo-owner= user/u=
codespace view: +json +repo codespace/c= repo-owner=
completion: shell/s=
config clear-cache:
config get: host/h=
config list: host/h=
config set: host/h=
copilot:
extension browse: debug single-column/s
extension create: precompiled=
extension exec:
extension install: force pin=
extension list:
extension remove:
extension search: +json license= limit/L= order= owner= sort= web/w
extension upgrade: all dry-run force
gist clone:
gist create: desc/d= filename/f= public/p web/w
gist delete: yes
gist edit: add/a= desc/d= filename/f= remove/r=
gist list: filter= include-content limit/L= public secret
gist rename:
gist view: filename/f= files raw/r web/w
gpg-key add:
gpg-key delete: yes/y
gpg-key list:
issue close: +repo comment/c= duplicate-of= reason/r=
issue comment: +repo body/b= body-file/F= create-if-none delete-last edit-last editor/e web/w yes
issue create: +repo assignee/a= body/b= body-file/F= editor/e label/l= milestone/m= project/p= recover= template/T= title/t= web/w
issue delete: +repo confirm yes
issue develop: +repo base/b= branch-repo= checkout/c issue-repo/i= list/l name/n=
issue edit: +repo add-assignee= add-label= add-project= body/b= body-file/F= milestone/m= remove-assignee= remove-label= remove-milestone remove-project= title/t=
issue list: +json +repo app= assignee/a= author/A= label/l= limit/L= mention= milestone/m= search/S= state/s= web/w
issue lock: +repo reason/r=
issue pin: +repo
issue reopen: +repo comment/c=
issue status: +json +repo
issue transfer: +repo
issue unlock: +repo
issue unpin: +repo
issue view: +json +repo comments/c web/w
label clone: +repo force/f
label create: +repo color/c= description/d= force/f
label delete: +repo confirm yes
label edit: +repo color/c= description/d= name/n=
label list: +json +repo limit/L= order= search/S= sort= web/w
licenses:
org list: limit/L=
pr checkout: +repo branch/b= detach force/f recurse-submodules
pr checks: +json +repo fail-fast interval/i= required watch web/w
pr close: +repo comment/c= delete-branch/d
pr comment: +repo body/b= body-file/F= create-if-none delete-last edit-last editor/e web/w yes
pr create: +repo assignee/a= base/B= body/b= body-file/F= draft/d dry-run editor/e fill/f fill-first fill-verbose head/H= label/l= milestone/m= no-maintainer-edit project/p= recover= reviewer/r= template/T= title/t= web/w
pr diff: +repo color= exclude/e= name-only patch web/w
pr edit: +repo add-assignee= add-label= add-project= add-reviewer= base/B= body/b= body-file/F= milestone/m= remove-assignee= remove-label= remove-milestone remove-project= remove-reviewer= title/t=
pr list: +json +repo app= assignee/a= author/A= base/B= draft/d head/H= label/l= limit/L= search/S= state/s= web/w
pr lock: +repo reason/r=
pr merge: +repo admin author-email/A= auto body/b= body-file/F= delete-branch/d disable-auto match-head-commit= merge/m rebase/r squash/s subject/t=
pr ready: +repo undo
pr reopen: +repo comment/c=
pr revert: +repo body/b= body-file/F= draft/d title/t=
pr review: +repo approve/a body/b= body-file/F= comment/c request-changes/r
pr status: +json +repo conflict-status/c
pr unlock: +repo
pr update-branch: +repo rebase
pr view: +json +repo comments/c web/w
preview prompter:
project close: +json format= owner= undo
project copy: +json drafts format= source-owner= target-owner= title=
project create: +json format= owner= title=
project delete: +json format= owner=
project edit: +json description/d= format= owner= readme= title= visibility=
project field-create: +json data-type= format= name= owner= single-select-options=
project field-delete: +json format= id=
project field-list: +json format= limit/L= owner=
project item-add: +json format= owner= url=
project item-archive: +json format= id= owner= undo
project item-create: +json body= format= owner= title=
project item-delete: +json format= id= owner=
project item-edit: +json body= clear date= field-id= format= id= iteration-id= number= project-id= single-select-option-id= text= title=
project item-list: +json format= limit/L= owner= query=
project link: +repo owner= team/T=
project list: +json closed format= limit/L= owner= web/w
project mark-template: +json format= owner= undo
project unlink: +repo owner= team/T=
project view: +json format= owner= web/w
release create: +repo discussion-category= draft/d fail-on-no-commits generate-notes latest notes/n= notes-file/F= notes-from-tag notes-start-tag= prerelease/p target= title/t= verify-tag
release delete-asset: +repo yes/y
release delete: +repo cleanup-tag yes/y
release download: +repo archive/A= clobber dir/D= output/O= pattern/p= skip-existing
release edit: +repo discussion-category= draft latest notes/n= notes-file/F= prerelease tag= target= title/t= verify-tag
release list: +json +repo exclude-drafts exclude-pre-releases limit/L= order/O=
release upload: +repo clobber
release verify-asset: +json +repo format=
release verify: +json +repo format=
release view: +json +repo web/w
repo archive: confirm yes/y
repo autolink create: +repo numeric/n
repo autolink delete: +repo yes
repo autolink list: +json +repo web/w
repo autolink view: +json +repo
repo clone: no-upstream upstream-remote-name/u=
repo create: add-readme clone/c confirm/y description/d= disable-issues disable-wiki gitignore/g= homepage/h= include-all-branches internal license/l= private public push remote/r= source/s= team/t= template/p=
repo delete: confirm yes
repo deploy-key add: +repo allow-write/w title/t=
repo deploy-key delete: +repo
repo deploy-key list: +repo
repo edit: accept-visibility-change-consequences add-topic= allow-forking allow-update-branch default-branch= delete-branch-on-merge description/d= enable-advanced-security enable-auto-merge enable-discussions enable-issues enable-merge-commit enable-projects enable-rebase-merge enable-secret-scanning enable-secret-scanning-push-protection enable-squash-merge enable-wiki homepage/h= remove-topic= squash-merge-commit-message= template visibility=
repo fork: clone default-branch-only fork-name= org= remote remote-name=
repo gitignore list:
repo gitignore view:
repo license list:
repo license view: web/w
repo list: +json archived fork language/l= limit/L= no-archived private public source topic= visibility=
repo rename: +repo confirm yes/y
repo set-default: unset/u view/v
repo sync: branch/b= force source/s=
repo unarchive: confirm yes/y
repo view: +json branch/b= web/w
ruleset check: +repo default web/w
ruleset list: +repo limit/L= org/o= parents/p web/w
ruleset view: +repo org/o= parents/p web/w
run cancel: +repo force
run delete: +repo
run download: +repo dir/D= name/n= pattern/p=
run list: +json +repo all/a branch/b= commit/c= created= event/e= limit/L= status/s= user/u= workflow/w=
run rerun: +repo debug/d failed job/j=
run view: +json +repo attempt/a= exit-status job/j= log log-failed verbose/v web/w
run watch: +repo compact exit-status interval/i=
search code: +json +repo extension= filename= language= limit/L= match= owner= size= web/w
search commits: +repo +json author= author-date= author-email= author-name= committer= committer-date= committer-email= committer-name= hash= limit/L= merge order= owner= parent= sort= tree= visibility= web/w
search issues: +repo +json app= archived assignee= author= closed= commenter= comments= created= include-prs interactions= involves= label= language= limit/L= locked match= mentions= milestone= no-assignee no-label no-milestone no-project order= owner= project= reactions= sort= state= team-mentions= updated= visibility= web/w
search prs: +repo +json app= archived assignee= author= base/B= checks= closed= commenter= comments= created= draft head/H= interactions= involves= label= language= limit/L= locked match= mentions= merged merged-at= milestone= no-assignee no-label no-milestone no-project order= owner= project= reactions= review= review-requested= reviewed-by= sort= state= team-mentions= updated= visibility= web/w
search repos: +json archived created= followers= fork= forks= good-first-issues= help-wanted-issues= include-forks= language= license= limit/L= match= number-topics= order= owner= size= sort= stars= topic= updated= visibility= web/w
secret delete: +repo app/a= env/e= org/o= user/u
secret list: +json +repo app/a= env/e= org/o= user/u
secret set: +repo app/a= body/b= env/e= env-file/f= no-repos-selected no-store org/o= repos/r= user/u visibility/v=
ssh-key add: title/t= type=
ssh-key delete: yes/y
ssh-key list:
status: exclude/e= org/o=
variable delete: +repo env/e= org/o=
variable get: +json +repo env/e= org/o=
variable list: +json +repo env/e= org/o=
variable set: +repo body/b= env/e= env-file/f= org/o= repos/r= visibility/v=
version:
workflow disable: +repo
workflow enable: +repo
workflow list: +json +repo all/a limit/L=
workflow run: +repo field/F= json raw-field/f= ref/r=
workflow view: +repo ref/r= web/w yaml/y
`;
