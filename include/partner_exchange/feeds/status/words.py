"""Words of hospitals that stand where a name could, and given names; for the guard ``personal.py``.

"Patient Transfer Center open" is no patient called Transfer, and "Staffing, Equipment" is nobody's name. A
word that is missing here costs a false alarm, one too many may hide a name: add what is hardly ever one.
"""

from __future__ import annotations

_PLACES = """
access admissions admitting ambulance annex area bay bays bed beds bedside building burn campus cardiac
cardiology care center central centre city clinic corridor county deck department dialysis discharge
district dock downtown east emergency endoscopy entrance floor hallway hospital house icu imaging
inpatient intake intensive isolation kitchen lab laboratory lobby lounge lower main maternity med medical
medsurg morgue nicu north northeast northwest nursery nursing obs observation oncology operating
outpatient parking pediatric pediatrics peds pharmacy picu psych psychiatric radiology recovery region
regional rehab room rooms south southeast southwest state station suite surgery surgical telemetry tower
trauma triage unit units upper urgent waiting ward west wing community general memorial university
atrium bath bathroom bathrooms cafeteria chapel courtyard dining drive driveway garage garages helipad
lot pavilion pod pods ramp saint shower showers st ste structure tunnel valet
"""
_MATTERS = """
active acuity acute adequate admitted adult adults advanced advisory advocate alarm alert assessment
available average backlog backup bariatric basic behavioral billing blood boarder boarders boarding boiler
bridge bypass cancelled capacity case cases census change chart charts chemical chiller cleaning closed
closure code comfort command communication complaint compromised conditions consent contact control
coordination coordinator count covid critical cyber data days decon delay delays demand department
diagnostic disaster diversion divert down downtime drill education elective electrical electricity
elevator elevators elopement engagement equipment evacuating evacuation event exceed exceeded exercise
experience facilities failure fall falls family financial fire flood flow flu fuel full gas generator
health heating helipad hold holding holds hours hurricane hvac immediate inactive incident increase
influenza information initiative insufficient interfacility internet isolated issue issues lead level lift
limited linen load lockdown logistics loss maintenance management mass mechanical medication monitor
monitoring movement network none normal numbers offline offload ok online open operations orange outage
outbreak outcome overflow oxygen patient patients payer phone phones placement plan plumbing population
portal pressure priority privacy problem procedure purple quality quarantine ratio record records red
reduced referral registration relations repair repairs report reports requests resolved respiratory
response restricted rights roof rounding rsv safety saturation scheduled screening security service
services severity shelter shift shortage shortages sitter sitters staff staffed staffing standby status
steam storm supplies supply support surge survey system systems tanker team temporary test testing
throughput tracking traffic transfer transfers transport transportation type unavailable unstaffed update
utilities utility ventilator ventilators violence virus visitation visitor visitors visits volume volumes
wait waits warning water weather yellow
belongings call calls cart carts escort escorts gown gowns hoist hoists lift lifts mask masks meal meals
mover movers name names pumps scrubs sling slings stretcher stretchers television tv ventilation ventilators
ppe wheelchair wheelchairs wifi wristband wristbands
"""
_PEOPLE_AT_WORK = """
administrator anesthesia cardiologist charge director doctor emergency ems engineer engineering
housekeeping manager medic medics neuro neurology nurse nurses ortho orthopedics physician physicians
police provider providers psychiatry radiologist rn security specialist specialists supervisor surgeon
surgeons technician technicians vendor volunteers
"""
_OPENINGS = """
a after all although an and anticipate any are as ask at awaiting because been before being both but by
call can cannot cleared continue currently did do does due during each either ems est estimated even
expect expected few first for from had has have how if in is it just last later likely more most must
needs new next no nobody not notified now of off on one only or other our out over pending per please plus
possible remains returned said see seen send several should since so some still such than that the their
then there these they this those three to today tomorrow tonight two under until upon use very via was we
were what when where which while who why with working would yes yesterday you
"""
_CALENDAR = """
afternoon christmas december easter evening february fri friday holiday january july march midnight mon
monday morning night noon november october sat saturday september sun sunday thanksgiving thu thursday tue
tuesday wed wednesday weekend
"""
_STATES = """
alabama alaska arizona arkansas california colorado columbia connecticut delaware florida hampshire hawaii
idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota
mississippi missouri nebraska nevada ohio oklahoma oregon pennsylvania rhode rico tennessee texas usa utah
vermont wisconsin wyoming
"""
_CODES = """
AK AL AR AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV
NY OH OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY
"""
_GIVEN = """
aaron abdul abigail abraham adam adrian ahmed aisha alan albert alejandra alejandro alex alexander
alexandra alexis ali alice alicia allison alyssa amanda amelia amina amy ana andre andrea andreas andres
andrew angela angelica ann anna anne annie anthony antonio arthur ashley barbara beatrice benjamin bernard
beth betty beverly bobby bonnie bradley brandon brenda brian brianna brittany bruce bryan caleb camila
cameron carl carla carlos carmen carol caroline carolyn catherine cecilia charles cheryl chloe chris
christina christine christopher cindy claire claudia connor corey craig crystal cynthia daniel daniela
danielle david dawn deborah debra denise dennis derek diana diane diego dmitri dolores donald donna doris
dorothy dylan eduardo edward eileen elaine eleanor elena elizabeth ella ellen emily emma enrique eric
erica erin esther ethan eva evan evelyn fatima felicia fernando frances francis francisco frank gabriel
gabriela gary george gerald gloria gregory guadalupe hannah harold harry hassan heather hector helen
henry howard ian ibrahim irene isaac isabel isabella ivan jack jacob jacqueline james jamie jane janet
janice jared jasmine jason javier jean jeff jeffrey jennifer jeremy jerry jesse jessica jesus jill jimmy
joan joe joel john johnny jonathan jordan jorge jose joseph joshua joyce juan juanita judith judy julia
julie justin karen karl katarzyna katherine kathleen kathryn kathy katie kayla keith kelly kenneth kevin
khadija kim kimberly kristen kyle larry latoya laura lauren leah leon leslie liam lillian linda lisa
logan lori louis louise lucas lucia lucy luis luke luz lydia lynn manuel marco marcus margaret maria
marie marilyn mario marjorie mark marta martha martin marvin mary mason matthew megan mei melissa mia
michael michelle miguel mildred ming minh mohamed mohammad mohammed monica muhammad nancy naomi natalie
nathan nicholas nicole nina noah nora norma oliver olivia omar oscar pamela patricia patrick paul paula
pedro peter philip phyllis piotr rachel rafael ralph ramon randy raul raymond rebecca renee ricardo
richard rita robert roberta roberto robin rodney roger ronald rosa rose roy russell ruth ryan samantha
samuel sandra sara sarah scott sean sergio seth shannon sharon shawn sheila shirley sofia sophia
stanley stephanie stephen steven susan svetlana sylvia tamara tammy tanya tatiana taylor teresa terry
theresa thi thomas timothy tina todd tom tony tracy tyler valerie vanessa veronica victor victoria
vincent vivian walter wanda wei wendy william yolanda yusuf zachary zoe
"""

ORDINARY_WORDS = frozenset(
    word
    for words in (_PLACES, _MATTERS, _PEOPLE_AT_WORK, _OPENINGS, _CALENDAR, _STATES)
    for word in words.split()
)
"""The words in lower case."""

STATE_CODES = frozenset(_CODES.split())
"""The postal codes of US states and territories: "Chicago, IL" is a place."""

GIVEN_NAMES = frozenset(_GIVEN.split())
"""Common given names of the US in lower case, without accents and without those that are rather places."""
