import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { mayOpen, needed } from '../logic/may.js'
import { linkTo, type Where } from '../logic/where.js'
import { useApp } from '../state/context.js'
import { Empty, Heading } from '../ui/basics.js'
import { Audit } from './audit.js'
import { Intents } from './intents.js'
import { Node } from './node.js'
import { Nodes } from './nodes.js'
import { Overview } from './overview.js'
import { Password } from './password.js'
import { Role, RoleNew } from './role.js'
import { Roles } from './roles.js'
import { Strategies } from './strategies.js'
import { Strategy, StrategyNew } from './strategy.js'
import { Users } from './users.js'

const titles: Readonly<Record<Where['screen'], string>> = {
  overview: 'Overview',
  strategies: 'Strategies',
  strategy: 'Change a strategy',
  'strategy-new': 'New strategy',
  intents: 'Intents',
  nodes: 'Nodes',
  node: 'Node',
  users: 'Users',
  roles: 'Roles',
  role: 'Change a role',
  'role-new': 'New role',
  audit: 'Audit log',
  password: 'Change your password',
  nowhere: 'Nothing here',
}

/** The screen of a place, or why there is none. */
export function Screen({ where }: { readonly where: Where }) {
  const { session } = useApp()
  useEffect(() => {
    document.title = `${titles[where.screen]} · Bulkhead manager`
  }, [where.screen])
  if (!mayOpen(session, where.screen)) return <Closed where={where} />
  return drawn(where)
}

function drawn(where: Where): ComponentChildren {
  switch (where.screen) {
    case 'overview':
      return <Overview />
    case 'strategies':
      return <Strategies />
    case 'strategy-new':
      return <StrategyNew />
    case 'strategy':
      return <Strategy id={where.id} />
    case 'intents':
      return <Intents />
    case 'nodes':
      return <Nodes />
    case 'node':
      return <Node name={where.name} />
    case 'users':
      return <Users />
    case 'roles':
      return <Roles />
    case 'role-new':
      return <RoleNew />
    case 'role':
      return <Role id={where.id} />
    case 'audit':
      return <Audit />
    case 'password':
      return <Password />
    case 'nowhere':
      return (
        <>
          <Heading>Nothing here</Heading>
          <Empty title={`The page has no place “${where.text}”.`}>
            <p>
              <a href={linkTo({ screen: 'overview' })}>Go to the overview</a>
            </p>
          </Empty>
        </>
      )
  }
}

/** Not offered in the menu, but typed or followed from elsewhere. */
function Closed({ where }: { readonly where: Where }) {
  const keys = needed[where.screen] ?? []
  return (
    <>
      <Heading>{titles[where.screen]}</Heading>
      <Empty title="You may not see this.">
        <p>
          It takes the permission {keys.map((key, index) => [index === 0 ? '' : ' or ', <code key={key}>{key}</code>])},
          and none of your roles has it. Who looks after roles can give you one that does; it is in force at once.
        </p>
        <p>
          <a href={linkTo({ screen: 'overview' })}>Go to the overview</a>
        </p>
      </Empty>
    </>
  )
}
